// Reads the figures of one connection, for a pass over thousands: nothing here sorts or copies samples, and one object
// serves them all.

import type { ConnectionCore } from "../../../connection/connection-core.js";
import type { ConnectionRow } from "../wire.js";

/** As the event `overdue`: a ping is late after three smoothed round trips, but not before a second. */
const LATE_ROUND_TRIPS = 3;
const LATE_AT_LEAST = 1_000;

export class Reading {
  state: ConnectionRow["state"] = "open";
  /** Milliseconds of the newest round trip; null before the first. */
  latency: number | null = null;
  /** Milliseconds for which the oldest ping has waited, if that is longer than expected; 0 otherwise. */
  overdue = 0;
  buffered = 0;
  unread = 0;
  isPaused = false;
  /** Why the connection needs a look, from nothing (0) to the worst (3). */
  trouble: 0 | 1 | 2 | 3 = 0;

  read(core: ConnectionCore, now: number): void {
    const { keepalive } = core;
    this.state = stateOf(core);
    this.latency = keepalive.latency;
    this.overdue = overdueBy(core, now);
    this.buffered = core.bufferedAmount;
    this.unread = core.inbox.length;
    this.isPaused = core.pauseReasons.length > 0;
    const isSuspected = core.state === "open" && (this.overdue > 0 || (suspicionOf(core) ?? 0) > 0);
    if (isSuspected) this.trouble = 3;
    else if (this.isPaused || this.buffered >= core.settings.writeLimit) this.trouble = 2;
    else this.trouble = this.state === "open" ? 0 : 1;
  }
}

/** The level of suspicion of adaptive detection, from 0; null without it. */
export function suspicionOf({ keepalive, settings }: ConnectionCore): number | null {
  return (settings.detection ?? null) === null ? null : (keepalive.suspicion?.level ?? null);
}

export function overdueBy({ keepalive }: ConnectionCore, now: number): number {
  const { oldestPingAt } = keepalive;
  if (oldestPingAt === null) return 0;
  const waiting = now - oldestPingAt;
  if (waiting < LATE_AT_LEAST) return 0;
  return waiting < LATE_ROUND_TRIPS * (keepalive.statistics?.smoothed ?? 0) ? 0 : waiting;
}

export function stateOf(core: ConnectionCore): ConnectionRow["state"] {
  if (core.state !== "open") return "closing";
  return core.session?.isAttached === false ? "detached" : "open";
}
