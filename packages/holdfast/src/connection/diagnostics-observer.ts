// The port to an observer of all connections of a process. transport/node/ implements it on node:diagnostics_channel.
// Observation does not change how the connections behave.

import type { Suspicion } from "../heartbeat/adaptive-detection.js";
import type { ObservedFrame } from "../shared/observed-frame.js";
import type { CloseInfo } from "./close-info.js";
import type { Connection } from "./connection.js";
import type { SessionResumedEvent } from "./session-state.js";
import type { Role } from "../shared/role.js";
import type { SessionLoss } from "../shared/session-errors.js";

/** Receives the events of every connection of a runtime as they happen. Must not throw. */
export interface DiagnosticsObserver {
  /** Whether to report frames. Each connection reads it once, when it opens. */
  readonly wantsFrames: boolean;
  onOpen(connection: Connection): void;
  /** A Ping of the peer arrived. It has already been answered, unless `autoPong` is off. */
  onPing(connection: Connection, payload: Uint8Array): void;
  /** A Pong arrived. `roundTrip` is in milliseconds; null if it answers no ping in flight. */
  onPong(connection: Connection, payload: Uint8Array, roundTrip: number | null): void;
  /** As the event of the same name of a Connection. */
  onSuspect(connection: Connection, suspicion: Suspicion): void;
  /** A frame is handed to the socket. */
  onFrameSent(connection: Connection, frame: ObservedFrame): void;
  /** A frame arrived completely. */
  onFrameReceived(connection: Connection, frame: ObservedFrame): void;
  onClose(connection: Connection, info: CloseInfo): void;
  /** A session has its first socket in this process. It `isNew` unless another process, or an earlier page, began it. */
  onSessionOpen(id: string, side: Role, isNew: boolean): void;
  /** A session has lost its socket, and can be resumed. */
  onSessionDetached(id: string, side: Role, info: CloseInfo): void;
  onSessionResumed(id: string, side: Role, event: SessionResumedEvent): void;
  /** A session ended; `reason` is null if it was not lost. Exactly once for each that opened. */
  onSessionClosed(id: string, side: Role, event: SessionClosedEvent): void;
}

export interface SessionClosedEvent {
  readonly reason: SessionLoss | null;
  readonly unsent: number;
  readonly unknown: number;
}
