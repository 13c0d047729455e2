// Jittered exponential backoff. When a server fails, all its clients lose it at the same moment, so the spread of the
// first delay decides how hard they hit the server when it returns. Therefore the first delay is uniform over the whole
// range. Later delays start from attempts that are already spread out, so only half of each delay is random.

import type { Random } from "../../connection/ports.js";

/** Validated settings. Durations are milliseconds. */
export interface BackoffSettings {
  /** The shortest delay. */
  readonly minDelay: number;
  /** The first delay is uniform between `minDelay` and this. */
  readonly firstDelay: number;
  /** The longest delay. */
  readonly maxDelay: number;
  /** Growth from one delay to the next, before jitter. At least 1. */
  readonly factor: number;
}

export const DEFAULT_BACKOFF: BackoffSettings = {
  minDelay: 0,
  firstDelay: 2_000,
  maxDelay: 30_000,
  factor: 1.618,
};

/**
 * Returns the delay in milliseconds before attempt `attempt`; 1 is the first attempt after a connection was lost or
 * refused.
 *
 * The first delay is uniform in [minDelay, firstDelay]. From the second on, `delay = min(firstDelay × factor^(attempt−1),
 * maxDelay)` with equal jitter: uniform in [delay ÷ 2, delay], and never below minDelay. The second delay is at least
 * firstDelay, provided that a quarter of it stays random. This keeps second attempts from coinciding with the first
 * attempts of clients that drew a long first delay.
 *
 * @param random a number in [0, 1)
 */
export function backoffDelay(attempt: number, settings: BackoffSettings, random: number): number {
  const { minDelay, firstDelay, maxDelay, factor } = settings;
  if (attempt <= 1) {
    const longest = Math.max(minDelay, Math.min(firstDelay, maxDelay));
    return Math.min(minDelay + random * (longest - minDelay), longest); // Floating-point addition may round up past the limit.
  }
  if (firstDelay === 0) return minDelay; // No growth from 0; and 0 × Infinity is NaN.
  // After some thousand attempts the power overflows to Infinity; the minimum is then maxDelay.
  const delay = Math.min(firstDelay * factor ** (attempt - 1), maxDelay);
  const shortest = Math.max(delay / 2, Math.min(firstDelay, delay * 0.75));
  return Math.max(minDelay, Math.min(shortest + random * (delay - shortest), delay));
}

/** A number in [0, 1). */
export function randomFraction(random: Random): number {
  const words = new Uint32Array(1);
  random.fill(new Uint8Array(words.buffer));
  return words[0] / 2 ** 32;
}
