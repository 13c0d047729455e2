// A token bucket as one number: the time at which it would be full again. It holds what a second allows, so that as
// much may come at once.

/** What a rate means in milliseconds. */
export interface Rate {
  /** Milliseconds in which one unit becomes free. */
  readonly cost: number;
  /** Milliseconds that the bucket holds. One unit fits in, however low the rate is. */
  readonly depth: number;
}

/** @param perSecond null for no limit */
export function rateOf(perSecond: number | null): Rate | null {
  if (perSecond === null) return null;
  const cost = 1000 / perSecond;
  return { cost, depth: Math.max(1000, cost) };
}

/** Takes `count` units out of a bucket that is full at `fullAt`. Returns when it is full again from now on. */
export function take(fullAt: number, now: number, count: number, rate: Rate): number {
  return Math.max(fullAt, now) + count * rate.cost;
}

/** Milliseconds until the bucket is not overdrawn any more; 0 or less where it is not. */
export function overdrawnBy(fullAt: number, now: number, rate: Rate): number {
  return fullAt - now - rate.depth;
}
