// The port to what judges the peer: pings, latency and the verdict, in this thread (heartbeat-keepalive.ts) or in a worker.

import type { Suspicion } from "../../heartbeat/adaptive-detection.js";
import type { HeartbeatDeadlines } from "../../heartbeat/heartbeat.js";
import type { LatencyStatistics, LatencyStats } from "../../heartbeat/latency-statistics.js";
import type { HeartbeatSettings } from "../../heartbeat/signals.js";
import type { Runtime } from "../runtime.js";

/** The part of ConnectionCore that the keepalive uses. */
export interface KeepaliveHandler {
  /** Monotonic time of the last read. */
  readonly lastReceivedAt: number;
  /** Bytes that were handed to the socket. */
  readonly bytesSent: number;
  queuePing(key: string, payload: Uint8Array): void;
  abandonPing(key: string): void;
  onOverdue(elapsed: number, expected: number): void;
  onSuspended(gap: number): void;
  onSuspect(suspicion: Suspicion): void;
  /** A pong matched no ping while pings were in flight. */
  onUnmatchedPong(): void;
  onDead(silence: number): void;
}

/** Pings, latency and the verdict on the peer, whether judged in this thread or in a worker. Times are monotonic. */
export interface Keepalive {
  /** Round-trip time of the newest answered ping in milliseconds; null before the first. */
  readonly latency: number | null;
  readonly latencyStats: LatencyStats;
  /** The statistics themselves, which are cheaper to read than a snapshot; absent where another thread has them. */
  readonly statistics?: LatencyStatistics;
  /** When the last ping was queued; null before the first. */
  readonly lastPingAt: number | null;
  /** When the last pong arrived, matched or not; null before the first. */
  readonly lastPongAt: number | null;
  readonly pingsInFlight: number;
  /** When the oldest unanswered ping was queued; null for none. */
  readonly oldestPingAt: number | null;
  /** The longest gap in milliseconds during which our own process did not run. */
  readonly longestGap: number;
  /** How the peer is judged. */
  readonly deadlines: HeartbeatDeadlines;
  /** The suspicion against the peer that lasts; null for none. */
  readonly suspicion: Suspicion | null;
  /** Whether to call `onTraffic` for the next message. Always false with fixed detection. */
  readonly isQuiet: boolean;
  /** @param delaysPing sends the first ping in a later turn than this one. @default false */
  open(delaysPing?: boolean): void;
  /** Makes a payload that no ping in flight has. */
  newPayload(): Uint8Array;
  isInFlight(payload: Uint8Array): boolean;
  /** Sends a ping of the application; resolves with its round-trip time in milliseconds. */
  ping(payload: Uint8Array, signal: AbortSignal | null, timeout?: number | null): Promise<number>;
  onPingSent(key: string): void;
  /** Handles a pong; returns the round-trip time of the ping that it answers, or null if it answers none. */
  onPong(payload: Uint8Array, now: number): number | null;
  /** Pings now rather than at the next slot, so that a dead peer is detected within `pingTimeout`. */
  probe(): void;
  /** A message was sent or received. */
  onTraffic(): void;
  /** The page was shown or hidden. */
  onPage(isVisible: boolean): void;
  pauseReading(): void;
  resumeReading(): void;
  beginClosing(): void;
  /** The connection has ended: rejects the pings that wait for a pong. */
  end(closedError: () => Error): void;
}

export type KeepaliveFactory = (
  runtime: Runtime,
  handler: KeepaliveHandler,
  options: HeartbeatSettings,
) => Keepalive;

/** The heartbeat knows payloads as strings, a character for each byte. */
export function keyOf(payload: Uint8Array): string {
  // Cast: `apply` is declared for arrays but accepts any array-like. A spread would cost three times as much.
  return String.fromCharCode.apply(null, payload as unknown as number[]);
}
