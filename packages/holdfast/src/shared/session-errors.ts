// The errors of sessions: connections that outlive their sockets.

import { HoldfastError, type HoldfastErrorOptions } from "./errors.js";

/**
 * Why a session was lost:
 *
 * - `expired`: it was detached for longer than `retain`, or older than `maxLifetime`
 * - `unknown`: the server does not know it; it has restarted, for example
 * - `overflow`: more was sent while it was detached than its window holds
 * - `evicted`: the server's `memory` for sessions was full, and it had been detached longest
 * - `forbidden`: it belongs to another owner
 * - `moved`: another socket has taken it
 * - `position`: the two ends do not agree on what was received
 * - `store`: the server's store failed, or its record is damaged
 */
export type SessionLoss =
  "evicted" | "expired" | "forbidden" | "moved" | "overflow" | "position" | "store" | "unknown";

/** A session was lost: what the peer has not confirmed will not be sent again. */
export class SessionLostError extends HoldfastError {
  static {
    this.prototype.name = "SessionLostError";
  }

  /** Why, in one word. */
  readonly reason: SessionLoss;
  /** The number of messages that certainly did not reach the peer. */
  readonly unsent: number;
  /** The number of messages that may have reached the peer. */
  readonly unknown: number;

  constructor(
    message: string,
    loss: { readonly reason: SessionLoss; readonly unsent: number; readonly unknown: number },
    options: HoldfastErrorOptions = {},
  ) {
    super(message, { code: "ERR_HOLDFAST_SESSION_LOST", ...options });
    this.reason = loss.reason;
    this.unsent = loss.unsent;
    this.unknown = loss.unknown;
  }
}

/** A store refused a write: another process has taken the session over. */
export class SessionFencedError extends HoldfastError {
  static {
    this.prototype.name = "SessionFencedError";
  }

  constructor(message: string, options: HoldfastErrorOptions = {}) {
    super(message, { code: "ERR_HOLDFAST_SESSION_FENCED", ...options });
  }
}
