// Decides whether the pings of a connection share wake-ups with those of others.

import type { HeartbeatSettings } from "../heartbeat/signals.js";
import type { TimerQueue } from "./timer-queue.js";

/**
 * The longest slot into which pings are put off, as a part of their interval: any 100 ms hold the pings of at most two
 * slots, and those may be 3 % of an interval's.
 */
const SLOT_OF_INTERVAL = 0.0145;
/** The same as a part of the timeout: a ping that was put off must not look like a stall of our process. */
const SLOT_OF_TIMEOUT = 1 / 8;

/** How wide a slot of time pings are put off into, in milliseconds; 0 for none. */
export function pingSlot(timers: TimerQueue, { pingInterval, pingTimeout }: HeartbeatSettings): number {
  if (pingInterval === null) return 0;
  const slot = timers.sharedSlot(pingInterval);
  const isShort =
    slot <= pingInterval * SLOT_OF_INTERVAL && slot <= (pingTimeout ?? Infinity) * SLOT_OF_TIMEOUT;
  return isShort ? slot : 0;
}
