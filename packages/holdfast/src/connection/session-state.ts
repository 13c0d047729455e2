// The session of a connection, as applications see it (docs/sessions.md).

import type { CloseInfo } from "./close-info.js";
import type { SessionLoss } from "../shared/session-errors.js";

/** The session of a connection. A snapshot. */
export interface ConnectionSession {
  /** Identifies the session in logs and records. It is not a secret, and does not suffice to resume the session. */
  readonly id: string;
  /** Whether the session has a socket at the moment. */
  readonly isAttached: boolean;
  /**
   * The position of the newest message that the application took, counted from 1; 0 before the first. While `forEach()`
   * handles a message, this is its position. An application that must process each message exactly once commits
   * `(id, position)` together with the effect.
   */
  readonly position: number;
}

/** The session has lost its socket. */
export interface DetachedEvent {
  /** How that socket ended; `explain(info)` says why. */
  readonly info: CloseInfo;
}

/** The session continues on another socket. */
export interface SessionResumedEvent {
  /** Milliseconds for which the session had no socket. */
  readonly gap: number;
  /** Messages that the peer sends again, because they had not arrived. */
  readonly replayedIn: number;
  /** Messages that this side sends again. */
  readonly replayedOut: number;
}

/** The session is lost: unconfirmed messages will not be sent again. */
export interface SessionLostEvent {
  readonly reason: SessionLoss;
  /** Messages that were never passed to a socket. */
  readonly unsent: number;
  /** Messages that the peer may or may not have received. */
  readonly unknown: number;
}
