// The limits of adaptive detection.

/** How adaptive detection may judge and ping. Durations are milliseconds. */
export interface DetectionSettings {
  /** A peer is never declared dead after less silence than this. */
  readonly floor: number;
  /** The longest time between two pings, while nothing is sent or received or the page is hidden. */
  readonly maxPeriod: number;
}

/** Milliseconds at most between two pings while messages pass, or while the page is visible. */
const PERIOD = 2_000;

/** Milliseconds between two pings while messages pass: the longest period is a multiple, so that it is reached. */
export function shortestPeriod(settings: DetectionSettings): number {
  return settings.maxPeriod / slotsOf(settings);
}

/** The number of shortest periods in the longest. */
export function slotsOf({ maxPeriod }: DetectionSettings): number {
  return Math.ceil(maxPeriod / PERIOD);
}
