// The input of the heartbeat (observations) and its output (actions).
// Times are monotonic milliseconds. Payloads are strings with one byte per character.

import type { AdaptiveDetection, Suspicion } from "./adaptive-detection.js";
import type { DetectionSettings } from "./detection-settings.js";

/** The signs of life that count: only pongs, or any received byte. */
export type Liveness = "pong" | "traffic";

export interface HeartbeatSettings {
  /** Milliseconds between two pings; null for no keepalive. */
  readonly pingInterval: number | null;
  /** How many milliseconds a ping may stay unanswered; null to measure only and never judge. */
  readonly pingTimeout: number | null;
  readonly liveness: Liveness;
  /** Whether the first ping is sent after one interval rather than at once. @default false */
  readonly delaysFirstPing?: boolean;
  /** Absent or null for fixed detection. Only with a `pingInterval`. */
  readonly detection?: DetectionSettings | null;
  /** The code of adaptive detection, wherever `detection` is set: a page loads it on demand. */
  readonly adaptive?: typeof AdaptiveDetection | undefined;
}

export type Observation =
  /** The handshake is over. */
  | { readonly type: "opened"; readonly wallNow: number }
  /** The ping that `send-ping` requested is in the outbox. */
  | { readonly type: "ping-queued"; readonly payload: string; readonly isKeepalive: true }
  /** A ping of the application is in the outbox. It expires after `timeout` milliseconds; null for never. */
  | {
      readonly type: "ping-queued";
      readonly payload: string;
      readonly isKeepalive: false;
      readonly timeout: number | null;
    }
  /** A ping was handed to the socket, after this many bytes. Adaptive detection needs their number. */
  | { readonly type: "ping-sent"; readonly payload: string; readonly bytesSent?: number }
  /** The turn of the event loop that queued a ping at `since` is over: only now can the ping reach the socket. */
  | { readonly type: "turn-ended"; readonly since: number }
  /** A timer of the process was late by `gap` milliseconds, although no time to wake may have come. */
  | { readonly type: "stalled"; readonly gap: number }
  /** The application no longer waits for its ping. */
  | { readonly type: "ping-abandoned"; readonly payload: string }
  | { readonly type: "pong"; readonly payload: string }
  /** The time `nextWake` has come. `lastReceivedAt` is when the newest byte was read. */
  | { readonly type: "wake"; readonly wallNow: number; readonly lastReceivedAt: number }
  /** The poll phase that `poll` requested is over. */
  | { readonly type: "polled"; readonly wallNow: number; readonly lastReceivedAt: number }
  /** The network may have changed or the machine may have woken: a ping finds out whether the peer is still there. */
  | { readonly type: "probe" }
  /** A message was sent or received. Only adaptive detection needs it, and only while it `isQuiet`. */
  | { readonly type: "traffic" }
  /** The page of this connection is shown or hidden. Only for adaptive detection. */
  | { readonly type: "page"; readonly isVisible: boolean }
  /** We paused reading because our own inbox is full. */
  | { readonly type: "reading-paused" }
  | { readonly type: "reading-resumed" }
  /** The closing handshake has begun. It has its own deadline. */
  | { readonly type: "closing" }
  /** The connection is gone. */
  | { readonly type: "ended" };

export type Action =
  /** Send a ping with a fresh payload, and report it as `ping-queued`. */
  | { readonly type: "send-ping" }
  /** Let one poll phase read what the kernel already holds, then report `polled`. */
  | { readonly type: "poll" }
  /** A ping was answered after `elapsed` milliseconds, by its own pong or by that of a later ping. */
  | { readonly type: "answered"; readonly payload: string; readonly elapsed: number }
  /** A ping is overdue: it was queued `elapsed` milliseconds ago and was expected to take at most `expected`. */
  | {
      readonly type: "overdue";
      readonly payload: string;
      readonly elapsed: number;
      readonly expected: number;
    }
  /** The peer is silent for longer than usual on this link. Only adaptive detection reports it. */
  | ({ readonly type: "suspect" } & Suspicion)
  /** A pong matched none of the pings that wait: it proves that the peer is alive and measures no round trip. */
  | { readonly type: "pong-unmatched" }
  /** A ping of the application was not answered within its timeout and was removed. */
  | { readonly type: "expired"; readonly payload: string }
  /** Our own process did not run for `gap` milliseconds. */
  | { readonly type: "suspended"; readonly gap: number }
  /** The peer or the network is dead: the oldest judged ping has been unanswered for `silence` milliseconds. */
  | { readonly type: "dead"; readonly silence: number };
