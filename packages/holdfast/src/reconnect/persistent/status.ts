// The status of a persistent connection, for user interfaces, and its events.

import type { CloseInfo } from "../../connection/close-info.js";
import type { DetachedEvent, SessionLostEvent, SessionResumedEvent } from "../../connection/session-state.js";
import type { Connection } from "../../connection/connection.js";
import type { Suspicion } from "../../heartbeat/adaptive-detection.js";

/** The time at which a status began. */
export interface Since {
  /** When this status began, in milliseconds since 1970. */
  readonly since: number;
}

/** An attempt to connect is in progress, including `onOpen`. */
export interface ConnectingStatus extends Since {
  readonly state: "connecting";
  /** 1, plus one for each consecutive earlier attempt that failed or whose connection did not stay open. */
  readonly attempt: number;
}

/** The connection is open: messages are sent. */
export interface OpenStatus extends Since {
  readonly state: "open";
  /** As in `ConnectingStatus`. */
  readonly attempt: number;
  /** Adaptive detection suspects the peer; absent while it does not. */
  readonly suspect?: Suspicion;
}

/** The next attempt starts after a delay. */
export interface WaitingStatus extends Since {
  readonly state: "waiting";
  /** Consecutive attempts that failed, or whose connection did not stay open. */
  readonly attempt: number;
  /** Milliseconds from `since` to the next attempt. */
  readonly delay: number;
  /** When the next attempt starts, in milliseconds since 1970. */
  readonly retryAt: number;
  /** Whether the server requested this delay, with `Retry-After` or by closing with 1012 or 1013. */
  readonly requestedByServer: boolean;
  /** How the last attempt, or its connection, ended; `explain(info)` says what to do. */
  readonly info: CloseInfo;
  /** Why it ended. */
  readonly error: Error;
}

/** `close()` was called, and the closing handshake is in progress. */
export interface ClosingStatus extends Since {
  readonly state: "closing";
}

/** The persistent connection has ended. */
export interface ClosedStatus extends Since {
  readonly state: "closed";
  /** How the last attempt, or its connection, ended. */
  readonly info: CloseInfo;
  /** The error that ended retrying; null if this side closed deliberately. */
  readonly error: Error | null;
}

/** A frozen snapshot: a new object after each change, as state libraries expect. */
export type PersistentStatus = ClosedStatus | ClosingStatus | ConnectingStatus | OpenStatus | WaitingStatus;

/** The events of `PersistentConnection.on()`, by name. */
export interface PersistentEvents {
  /** The status has changed. */
  readonly status: PersistentStatus;
  /** A connection is open, and `onOpen` has settled. */
  readonly open: { readonly connection: Connection; readonly attempt: number; readonly isFirst: boolean };
  /** A connection has ended, or an attempt has failed. */
  readonly disconnected: { readonly info: CloseInfo; readonly error: Error };
  /**
   * The peer is silent for longer than usual (`detection: "adaptive"`). With a session, the client now opens a second
   * socket, and continues on the one that answers first.
   */
  readonly suspect: Suspicion;
  /** The session has lost its socket. */
  readonly detached: DetachedEvent;
  /** The session continues on another socket. */
  readonly resumed: SessionResumedEvent;
  /** The session is lost. If the persistent connection continues, it has a new session. */
  readonly lost: SessionLostEvent;
}

/** The event names of `PersistentConnection.on()`. */
export type PersistentEventName = keyof PersistentEvents;
/** A listener of `PersistentConnection.on()`. */
export type PersistentListener<Name extends PersistentEventName> = (event: PersistentEvents[Name]) => void;

export const PERSISTENT_EVENT_NAMES: readonly PersistentEventName[] = [
  "status",
  "open",
  "disconnected",
  "suspect",
  "detached",
  "resumed",
  "lost",
];
