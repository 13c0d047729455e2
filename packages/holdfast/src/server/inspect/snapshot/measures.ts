// Reads the figures of one connection, for a census of thousands: nothing here sorts or copies samples.

import type { Connection } from "../../../connection/connection.js";
import type { ConnectionCore } from "../../../connection/connection-core.js";
import type { ConnectionRow } from "../wire.js";

/** As the event `overdue`: a ping is late after three smoothed round trips, but not before a second. */
const LATE_ROUND_TRIPS = 3;
const LATE_AT_LEAST = 1_000;

/** The level of suspicion of adaptive detection, from 0; null without it. */
export function suspicionOf(core: ConnectionCore): number | null {
  return core.keepalive.suspicion?.level ?? null;
}

/** Milliseconds for which the oldest ping has waited, if that is longer than expected; 0 otherwise. */
export function overdueBy(core: ConnectionCore, now: number): number {
  const { oldestPingAt, statistics } = core.keepalive;
  if (oldestPingAt === null) return 0;
  const waiting = now - oldestPingAt;
  if (waiting < LATE_AT_LEAST) return 0;
  return waiting < LATE_ROUND_TRIPS * (statistics?.smoothed ?? 0) ? 0 : waiting;
}

export function stateOf(core: ConnectionCore): ConnectionRow["state"] {
  if (core.state !== "open") return "closing";
  return core.session?.isAttached === false ? "detached" : "open";
}

/** Why a connection needs a look, from nothing (0) to the worst (3). */
export function troubleOf(core: ConnectionCore, now: number): 0 | 1 | 2 | 3 {
  const isOpen = core.state === "open";
  if (isOpen && ((suspicionOf(core) ?? 0) > 0 || overdueBy(core, now) > 0)) return 3;
  if (core.bufferedAmount >= core.settings.writeLimit || core.pauseReasons.length > 0) return 2;
  return isOpen && core.session?.isAttached !== false ? 0 : 1;
}

/** A number for which sorting puts the addresses of one network together. */
export function addressKey({ remoteAddress }: Connection): number {
  if (remoteAddress === null) return Infinity;
  const address = remoteAddress.address.replace(/^::ffff:(?=\d+\.)/i, "");
  if (address.includes(":")) return ipv6Key(address);
  const parts = address.split(".");
  if (parts.length !== 4) return Infinity;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** The first three groups, which identify the network, above every IPv4 address. */
function ipv6Key(address: string): number {
  const [head = ""] = address.split("::");
  const groups = [...head.split(":"), "0", "0", "0"].slice(0, 3);
  return groups.reduce((sum, group) => sum * 65_536 + (parseInt(group, 16) || 0), 0) + 2 ** 32;
}
