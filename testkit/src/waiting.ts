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

/**
 * Asserts that something is over within `limit` milliseconds, although a busy machine may delay it: calls `attempt`, which
 * returns how long it took, up to three times.
 */
export async function assertWithin(limit: number, attempt: () => Promise<number>): Promise<void> {
  const times: number[] = [];
  while (times.length < 3) {
    const took = await attempt();
    if (took < limit) return;
    times.push(Math.round(took));
  }
  throw new Error(`Expected less than ${limit} ms, got ${times.join(", ")}`);
}

/** Blocks this thread for `ms`, so that no timer, promise or socket of this process makes progress. */
export function blockEventLoop(ms: number): void {
  // Sleep instead of spinning: other processes of the test need the processor.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
