// Measures memory in use, for tests that it does not grow.

import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
// Only a context created after the flag was set has the function.
const collectGarbage = runInNewContext("gc") as () => void;

/** Bytes that are still in use after a garbage collection, on the heap and in array buffers. */
export async function usedMemory(): Promise<number> {
  // The test runner tracks every promise, and releases collected ones only in a later turn.
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    await nextTurn();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
