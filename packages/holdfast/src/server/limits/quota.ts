// A token bucket, stored as one number: the time at which it is full again. It holds one second's worth of tokens,
// which is the largest burst.

/** A rate in milliseconds. */
export interface Rate {
  /** Milliseconds to refill one token. */
  readonly cost: number;
  /** Milliseconds to refill the whole bucket. It holds at least one token, however low the rate is. */
  readonly depth: number;
}

/** @param perSecond null for no limit */
export function rateOf(perSecond: number | null): Rate | null {
  if (perSecond === null) return null;
  const cost = 1000 / perSecond;
  return { cost, depth: Math.max(1000, cost) };
}

/** Takes `count` tokens from a bucket that is full at `fullAt`. Returns when it is full again. */
export function take(fullAt: number, now: number, count: number, rate: Rate): number {
  return Math.max(fullAt, now) + count * rate.cost;
}

/** Milliseconds until the bucket is no longer overdrawn; 0 or less if it is not. */
export function overdrawnBy(fullAt: number, now: number, rate: Rate): number {
  const excess = fullAt - now - rate.depth;
  return Math.abs(excess) < ROUNDING ? 0 : excess;
}

/** Sums of times are not exact: without this, a full bucket of one token refuses it at some times. */
const ROUNDING = 1e-3;
