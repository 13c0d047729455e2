// The keepalive of a session's connection: each socket is pinged and judged by its own connection, and this one shows the
// newest socket's.

import type { Suspicion } from "../../heartbeat/adaptive-detection.js";
import type { HeartbeatDeadlines } from "../../heartbeat/heartbeat.js";
import { LatencyStatistics, type LatencyStats } from "../../heartbeat/latency-statistics.js";
import { InvalidStateError } from "../../shared/errors.js";
import type { ConnectionCore } from "../../connection/connection-core.js";
import type { Keepalive } from "../../connection/keepalive/keepalive.js";

/** A base class rather than an object of its own, which every session would pay for. */
export abstract class SocketKeepalive implements Keepalive {
  abstract readonly isAttached: boolean;
  /** The core of the newest socket, attached or not: latency, addresses and pings are its. */
  abstract readonly newest: ConnectionCore;

  /** The socket's keepalive observes the traffic. */
  // eslint-disable-next-line @typescript-eslint/class-literal-property-style -- A field would cost each session memory.
  get isQuiet(): boolean {
    return false;
  }

  get latency(): number | null {
    return this.newest.keepalive.latency;
  }

  get latencyStats(): LatencyStats {
    return this.newest.keepalive.latencyStats;
  }

  get statistics(): LatencyStatistics {
    return this.newest.keepalive.statistics ?? NO_STATISTICS;
  }

  get lastPingAt(): number | null {
    return this.newest.keepalive.lastPingAt;
  }

  get lastPongAt(): number | null {
    return this.newest.keepalive.lastPongAt;
  }

  get pingsInFlight(): number {
    return this.newest.keepalive.pingsInFlight;
  }

  get oldestPingAt(): number | null {
    return this.newest.keepalive.oldestPingAt;
  }

  get longestGap(): number {
    return this.newest.keepalive.longestGap;
  }

  get deadlines(): HeartbeatDeadlines {
    return this.newest.keepalive.deadlines;
  }

  get suspicion(): Suspicion | null {
    return this.newest.keepalive.suspicion;
  }

  newPayload(): Uint8Array {
    return this.newest.keepalive.newPayload();
  }

  isInFlight(payload: Uint8Array): boolean {
    return this.newest.keepalive.isInFlight(payload);
  }

  ping(payload: Uint8Array, signal: AbortSignal | null, timeout: number | null = null): Promise<number> {
    if (!this.isAttached) return Promise.reject(new InvalidStateError(DETACHED));
    return this.newest.ping(payload, signal, timeout);
  }

  probe(): void {
    if (this.isAttached) this.newest.keepalive.probe();
  }

  onPong(): null {
    return null; // The socket's keepalive matches pongs.
  }

  open(): void {
    // The socket's own keepalive does this.
  }

  onPingSent(): void {
    // As above.
  }

  onTraffic(): void {
    // As above.
  }

  pauseReading(): void {
    // As above.
  }

  resumeReading(): void {
    // As above.
  }

  beginClosing(): void {
    // As above.
  }

  onPage(): void {
    // Servers have no page.
  }

  /** Of the connection and of the transport. */
  end(): void {
    // The socket ends with its own connection.
  }
}

/** A server judges its sockets in this thread, so that they have statistics of their own. */
const NO_STATISTICS = new LatencyStatistics();

const DETACHED =
  'Expected a session with a socket for ping(), got one that is detached. Wait for the event "resumed".';
