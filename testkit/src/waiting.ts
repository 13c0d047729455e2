import { setTimeout as sleep } from "node:timers/promises";

export { withTimeout } from "../../packages/holdfast/build/testing/with-timeout.js";

/** Resolves once `isTrue` returns true; rejects, naming `what`, if that takes longer than `ms`. */
export async function eventually(isTrue: () => boolean, what: string, ms = 20_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!isTrue()) {
    if (performance.now() >= deadline) throw new Error(`Waited ${ms} ms for ${what}`);
    await sleep(2);
  }
}

/** Blocks this thread for `ms`, so that no timer, promise or socket of this process makes progress. */
export function blockEventLoop(ms: number): void {
  // Sleep instead of spinning: other processes of the test need the processor.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
