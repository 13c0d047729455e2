// Moves the deadlines of pings in flight when something other than the peer delayed their pongs, or when a pong proved
// that the peer is alive.

import type { Ping, PingsInFlight } from "./pings-in-flight.js";

/** Our own process did not run for `gap` milliseconds. The round trip of a ping that is sent later stays undisturbed. */
export function postpone(pings: PingsInFlight, gap: number): void {
  for (const ping of pings) {
    if (ping.sentAt < Infinity) ping.isDisturbed = true;
    ping.deadline += gap;
    ping.overdueAt += gap;
    pings.reschedule(ping);
  }
}

/**
 * After a gap, the keepalive pings are no longer judged, and the application's pings get their whole timeout again.
 * Returns whether there were keepalive pings: a fresh one has to be judged in their place.
 */
export function restartAfterGap(pings: PingsInFlight, now: number, overdueAfter: number): boolean {
  let wereJudged = false;
  for (const ping of pings) {
    // Nobody knows how much of the wait was before the gap, so it starts again for `overdue` too.
    if (ping.overdueAt < Infinity) ping.overdueAt = now + overdueAfter;
    if (ping.deadline < Infinity) {
      ping.deadline = ping.isKeepalive ? Infinity : now + ping.timeout;
      wereJudged ||= ping.isKeepalive;
    }
    pings.reschedule(ping);
  }
  return wereJudged;
}

/**
 * The time in which reading was paused does not count.
 *
 * @param pausedAt when the pause began; null gives each ping its whole timeout again
 */
export function excusePause(
  pings: PingsInFlight,
  pausedAt: number | null,
  now: number,
  overdueAfter: number,
): void {
  for (const ping of pings) {
    ping.isDisturbed = true;
    if (ping.deadline < Infinity) {
      ping.deadline =
        now + (pausedAt === null ? ping.timeout : ping.deadline - Math.max(pausedAt, ping.queuedAt));
    }
    if (ping.overdueAt < Infinity) ping.overdueAt = now + overdueAfter;
    pings.reschedule(ping);
  }
}

/**
 * A pong that matches no ping still proves that the peer is alive, so the keepalive pings already sent are no longer
 * judged. They stay in the table to measure their round trip. The next unmatched pong removes them, except the newest.
 * Returns how many it removed; null if there was no ping to excuse.
 */
export function excuseSent(pings: PingsInFlight): number | null {
  let newest: Ping | null = null;
  for (const ping of pings.keepalive) {
    if (ping.sentAt === Infinity || ping.deadline === Infinity) continue;
    ping.deadline = Infinity;
    ping.overdueAt = Infinity;
    pings.reschedule(ping);
    newest = ping;
  }
  if (newest === null) return null;
  let removed = 0;
  for (const ping of pings.keepalive) {
    if (ping === newest) break;
    if (ping.deadline < Infinity) continue;
    pings.remove(ping.payload);
    removed++;
  }
  return removed;
}

/** Removes the oldest keepalive ping of several. */
export function dropOldest(pings: PingsInFlight): void {
  const [oldest, next] = pings.keepalive;
  // The next ping inherits the earlier deadline: its pong would have answered the dropped ping as well.
  if (next.deadline < Infinity) {
    next.deadline = Math.min(next.deadline, oldest.deadline);
    pings.reschedule(next);
  }
  pings.remove(oldest.payload);
}
