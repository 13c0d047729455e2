import assert from "node:assert/strict";
import { OpenTimeoutError } from "holdfast";

/** "body" is after all of them: the response has come, and the attempt waits for the rest of its body. */
const PHASES = ["dns", "connect", "proxy", "tls", "upgrade", "body"] as const;

/**
 * Asserts that an attempt to open a connection ends at `openTimeout` in this phase, with such an error. It is made
 * again with more time if it ended in an earlier phase: a busy machine may take longer to get that far.
 */
export async function assertExpires(
  phase: (typeof PHASES)[number],
  open: (openTimeout: number) => Promise<unknown>,
  expected: (openTimeout: number) => object,
): Promise<void> {
  for (let openTimeout = 150; ; openTimeout *= 3) {
    const began = performance.now();
    const opening = open(openTimeout);
    const error: unknown = await opening.catch((reason: unknown) => reason);
    const elapsed = performance.now() - began;
    if (isEarly(error, phase) && openTimeout < 5_000) continue;
    await assert.rejects(opening, expected(openTimeout));
    assert(elapsed >= openTimeout - 1 && elapsed < openTimeout + 20_000, `${elapsed} of ${openTimeout} ms`);
    return;
  }
}

function isEarly(error: unknown, phase: (typeof PHASES)[number]): boolean {
  if (!(error instanceof OpenTimeoutError)) return false;
  return PHASES.findIndex((name) => name === error.phase) < PHASES.indexOf(phase);
}
