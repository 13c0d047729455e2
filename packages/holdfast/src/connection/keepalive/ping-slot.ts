// Decides whether the pings of a connection share wake-ups with those of others.

import type { HeartbeatSettings } from "../../heartbeat/signals.js";
import type { TimerQueue } from "../timer-queue.js";

/**
 * The longest slot to which pings are postponed, as a part of their interval. Any 100 ms contain pings of at most two
 * slots, which may be 3 % of the pings of an interval.
 */
const SLOT_OF_INTERVAL = 0.0145;
/** The longest slot as a part of the timeout: a postponed ping must not look like a stall of our process. */
const SLOT_OF_TIMEOUT = 1 / 8;

/** The width in milliseconds of the time slots to which pings are postponed; 0 for none. */
export function pingSlot(timers: TimerQueue, settings: HeartbeatSettings): number {
  const { pingInterval, pingTimeout, detection = null } = settings;
  if (pingInterval === null) return 0;
  // With adaptive detection, most connections of a crowd are idle.
  const interval = detection?.maxPeriod ?? pingInterval;
  const slot = timers.sharedSlot(interval);
  const isShort = slot <= interval * SLOT_OF_INTERVAL && slot <= (pingTimeout ?? Infinity) * SLOT_OF_TIMEOUT;
  return isShort ? slot : 0;
}
