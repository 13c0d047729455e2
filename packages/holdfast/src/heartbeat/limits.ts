// The limits that follow from the settings of a heartbeat.

import { shortestPeriod } from "./detection-settings.js";
import type { HeartbeatSettings } from "./signals.js";

/** A gap in our own execution counts from this many milliseconds, or from half of `pingTimeout` if that is less. */
const GAP_AT_MOST = 1000;

/**
 * The least number of keepalive pings that the table holds. Beyond the limit the oldest one counts as lost. Nothing else
 * bounds the table while no ping is judged: without `pingTimeout`, while reading is paused, or when traffic counts as
 * life. The limit is never below twice the pings of one `pingTimeout`, so that no ping is dropped before it is judged,
 * even after a gap has moved its deadline.
 */
const KEEPALIVE_IN_FLIGHT_AT_LEAST = 128;

/** Milliseconds between two slots of the grid of pings; null without keepalive. */
export function periodOf({ pingInterval, detection = null }: HeartbeatSettings): number | null {
  return pingInterval === null || detection === null ? pingInterval : shortestPeriod(detection);
}

/** Milliseconds from which a gap in our own execution counts. */
export function gapThreshold({ pingTimeout }: HeartbeatSettings): number {
  return Math.min(GAP_AT_MOST, (pingTimeout ?? Infinity) / 2);
}

/** Whether so many keepalive pings in flight are too many. */
export function areTooManyInFlight(count: number, settings: HeartbeatSettings): boolean {
  if (count <= KEEPALIVE_IN_FLIGHT_AT_LEAST) return false;
  return count > Math.ceil((2 * (settings.pingTimeout ?? 0)) / (periodOf(settings) ?? Infinity));
}
