// The state of affairs of a persistent connection, as an interface shows it.

import type { CloseInfo } from "../../connection/close-info.js";
import type { Connection } from "../../connection/connection.js";

/** The field that every status of a persistent connection has. */
export interface Since {
  /** Since when, in milliseconds since 1970. */
  readonly since: number;
}

/** An attempt to connect is under way, `onOpen` included. */
export interface ConnectingStatus extends Since {
  readonly state: "connecting";
  /** 1, and one more for each attempt in a row that failed or whose connection did not stay up. */
  readonly attempt: number;
}

/** There is a connection: what is sent goes out. */
export interface OpenStatus extends Since {
  readonly state: "open";
  readonly attempt: number;
}

/** The next attempt follows in a while. */
export interface WaitingStatus extends Since {
  readonly state: "waiting";
  /** Attempts in a row that failed, or whose connection did not stay up. */
  readonly attempt: number;
  /** Milliseconds from `since` to the next attempt. */
  readonly delay: number;
  /** When that begins, in milliseconds since 1970. */
  readonly retryAt: number;
  /** Whether the server asked for this wait: by `Retry-After`, or by closing with 1012 or 1013. */
  readonly requestedByServer: boolean;
  /** How the last attempt, or its connection, ended; `explain(info)` says what to do. */
  readonly info: CloseInfo;
  /** Why it ended. */
  readonly error: Error;
}

/** `close()` was called, and the closing handshake is under way. */
export interface ClosingStatus extends Since {
  readonly state: "closing";
}

/** It is over. */
export interface ClosedStatus extends Since {
  readonly state: "closed";
  readonly info: CloseInfo;
  /** What makes no sense to try again after; null where it was our own wish. */
  readonly error: Error | null;
}

/** Frozen, and another object after each change: a snapshot, as state libraries want it. */
export type PersistentStatus = ClosedStatus | ClosingStatus | ConnectingStatus | OpenStatus | WaitingStatus;

/** What `PersistentConnection.on()` tells, by name. */
export interface PersistentEvents {
  /** The status is another one. */
  readonly status: PersistentStatus;
  /** There is a connection, and `onOpen` is through. */
  readonly open: { readonly connection: Connection; readonly attempt: number; readonly isFirst: boolean };
  /** A connection has ended, or an attempt to open one. */
  readonly disconnected: { readonly info: CloseInfo; readonly error: Error };
}

/** What `link.on()` can listen for. */
export type PersistentEventName = keyof PersistentEvents;
/** What `link.on()` calls. */
export type PersistentListener<Name extends PersistentEventName> = (event: PersistentEvents[Name]) => void;

export const PERSISTENT_EVENT_NAMES: readonly PersistentEventName[] = ["status", "open", "disconnected"];
