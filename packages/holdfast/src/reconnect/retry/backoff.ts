// The law by which a client waits between attempts to connect. The spread of the first wait decides how hard a server
// that returns is hit: everybody lost it in the same moment. So the first wait is uniform over a whole range, and the
// later ones, which that has spread already, grow with half of their length left to chance.

/** The law's constants: durations in milliseconds, complete and valid. */
export interface BackoffSettings {
  /** No wait is shorter. */
  readonly minDelay: number;
  /** The first wait lies anywhere between `minDelay` and this. */
  readonly firstDelay: number;
  /** No wait is longer. */
  readonly maxDelay: number;
  /** How much longer the wait before the next attempt is, chance aside. At least 1. */
  readonly factor: number;
}

/** The default law. */
export const DEFAULT_BACKOFF: BackoffSettings = {
  minDelay: 0,
  firstDelay: 2_000,
  maxDelay: 30_000,
  factor: 1.618,
};

/**
 * Milliseconds to wait before attempt `attempt`, where 1 is the first after a connection was lost or refused.
 *
 * The first wait is uniform in [minDelay, firstDelay]. From the second on `delay = min(firstDelay × factor^(attempt−1),
 * maxDelay)` with equal jitter: uniform in [delay ÷ 2, delay], and never below minDelay. The second wait is no shorter
 * than the longest first one, as far as that leaves a quarter of it to chance: so no second attempts come on top of the
 * first ones of clients that drew a long wait.
 *
 * @param random a number in [0, 1)
 */
export function backoffDelay(attempt: number, settings: BackoffSettings, random: number): number {
  const { minDelay, firstDelay, maxDelay, factor } = settings;
  if (attempt <= 1) {
    const longest = Math.max(minDelay, Math.min(firstDelay, maxDelay));
    return Math.min(minDelay + random * (longest - minDelay), longest); // Sums of fractions are rounded, up as well.
  }
  if (firstDelay === 0) return minDelay; // Nothing grows, and 0 × Infinity is no number.
  // Past some thousand attempts the power is Infinity, which the minimum turns into maxDelay.
  const delay = Math.min(firstDelay * factor ** (attempt - 1), maxDelay);
  const shortest = Math.max(delay / 2, Math.min(firstDelay, delay * 0.75));
  return Math.max(minDelay, Math.min(shortest + random * (delay - shortest), delay));
}
