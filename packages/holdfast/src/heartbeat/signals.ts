// The heartbeat's language: what it is told (observations) and what it wants done (actions).
// Times are monotonic milliseconds. Payloads are strings that hold a byte in each character.

/** What counts as a sign of life: pongs, or any received byte. */
export type Liveness = "pong" | "traffic";

export interface HeartbeatSettings {
  /** Milliseconds between two pings; null for no keepalive. */
  readonly pingInterval: number | null;
  /** Milliseconds that a ping may stay unanswered; null to measure and never judge. */
  readonly pingTimeout: number | null;
  /** What counts as life: only pongs, or any received byte. */
  readonly liveness: Liveness;
}

export type Observation =
  /** The handshake is over. */
  | { readonly type: "opened"; readonly wallNow: number }
  /** The ping that `send-ping` asked for was put into the outbox. */
  | { readonly type: "ping-queued"; readonly payload: string; readonly isKeepalive: true }
  /** A ping of the application was, which is given up after `timeout` milliseconds; null for never. */
  | {
      readonly type: "ping-queued";
      readonly payload: string;
      readonly isKeepalive: false;
      readonly timeout: number | null;
    }
  /** A ping was handed to the socket. */
  | { readonly type: "ping-sent"; readonly payload: string }
  /** The application no longer waits for its ping. */
  | { readonly type: "ping-abandoned"; readonly payload: string }
  | { readonly type: "pong"; readonly payload: string }
  /** The time of `nextWake` has come. `lastReceivedAt` is when the newest byte was read. */
  | { readonly type: "wake"; readonly wallNow: number; readonly lastReceivedAt: number }
  /** The poll phase that `poll` asked for is over. */
  | { readonly type: "polled"; readonly wallNow: number; readonly lastReceivedAt: number }
  /** The network may have changed, or the machine woken: a ping would tell. */
  | { readonly type: "probe" }
  /** We stopped reading, because our own inbox is full. */
  | { readonly type: "reading-paused" }
  | { readonly type: "reading-resumed" }
  /** The closing handshake has begun, and has a deadline of its own. */
  | { readonly type: "closing" }
  /** The connection is gone. */
  | { readonly type: "ended" };

export type Action =
  /** Send a ping with a fresh payload, and report it as `ping-queued`. */
  | { readonly type: "send-ping" }
  /** Let one poll phase read what the kernel already holds, then report `polled`. */
  | { readonly type: "poll" }
  /**
   * A ping was answered after `elapsed` milliseconds, by its own pong or by that of a later ping.
   */
  | { readonly type: "answered"; readonly payload: string; readonly elapsed: number }
  /** A ping is late enough to be suspicious: `elapsed` milliseconds since it was queued. */
  | {
      readonly type: "overdue";
      readonly payload: string;
      readonly elapsed: number;
      readonly expected: number;
    }
  /** A pong matched no ping, while pings waited: it proves life, and no round trip. */
  | { readonly type: "pong-unmatched" }
  /** A ping of the application was not answered within its timeout, and is forgotten. */
  | { readonly type: "expired"; readonly payload: string }
  /** Our own process did not run for `gap` milliseconds. */
  | { readonly type: "suspended"; readonly gap: number }
  /** The peer or the network is dead: the oldest judged ping has waited for `silence` milliseconds. */
  | { readonly type: "dead"; readonly silence: number };
