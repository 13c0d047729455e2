// Memory that is really in use, for tests that promise it does not grow.

import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
// A context made after the flag was set has the function.
const collectGarbage = runInNewContext("gc") as () => void;

/** Bytes that are still held after a collection, on the heap and in array buffers. */
export async function usedMemory(): Promise<number> {
  // The test runner follows every promise, and lets go of those that were collected only in a later turn.
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    await nextTurn();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
