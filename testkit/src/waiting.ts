import { setTimeout as sleep } from "node:timers/promises";

export { withTimeout } from "../../packages/holdfast/build/testing/with-timeout.js";

/** Milliseconds between two looks. */
const MAX_DELAY = 20;

/** Resolves once `isTrue` returns true; rejects, naming `what`, if that takes longer than `ms`. */
export async function eventually(isTrue: () => boolean, what: string, ms = 30_000): Promise<void> {
  const start = performance.now();
  while (!isTrue()) {
    const waited = performance.now() - start;
    if (waited >= ms) throw new Error(`Waited ${ms} ms for ${what}`);
    await sleep(Math.min(MAX_DELAY, 2 + waited / 20)); // After a long wait, a little more is not much.
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

/**
 * Calls `attempt` up to three times, until it returns true: for what a process gives up, as documented, where a busy machine
 * lets it wait for a second. An attempt throws if something happens that must not happen even then.
 */
export async function inAttempts(attempt: () => Promise<boolean>, what: string): Promise<void> {
  for (let count = 0; count < 3; count++) {
    if (await attempt()) return;
  }
  throw new Error(`Expected ${what}, in one of three attempts`);
}

/** Blocks this thread for `ms`, so that no timer, promise or socket of this process makes progress. */
export function blockEventLoop(ms: number): void {
  // Sleep instead of spinning: other processes of the test need the processor.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
