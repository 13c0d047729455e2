// The limits of adaptive detection.

/** How adaptive detection may judge and ping. Durations are milliseconds. */
export interface DetectionSettings {
  /** A peer is never declared dead after less silence than this. */
  readonly floor: number;
  /** The longest time between two pings, while nothing is sent or received or the page is hidden. */
  readonly maxPeriod: number;
}

/** Milliseconds between two pings while messages pass, or while the page is visible. */
const PERIOD = 2_000;

/** Milliseconds between two pings while messages pass. */
export function shortestPeriod({ maxPeriod }: DetectionSettings): number {
  return Math.min(PERIOD, maxPeriod);
}
