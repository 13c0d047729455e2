// The port to an observer of all connections of a process. transport/node/ implements it on node:diagnostics_channel.
// Observation does not change how the connections behave.

import type { Suspicion } from "../heartbeat/adaptive-detection.js";
import type { ObservedFrame } from "../shared/observed-frame.js";
import type { CloseInfo } from "./close-info.js";
import type { Connection } from "./connection.js";

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
}
