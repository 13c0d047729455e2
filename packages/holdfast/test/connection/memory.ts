// Memory that is really in use, for tests that promise it does not grow.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
// A context made after the flag was set has the function.
const collectGarbage = runInNewContext("gc") as () => void;

/** Bytes that are still held after a collection, on the heap and in array buffers. */
export function usedMemory(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
