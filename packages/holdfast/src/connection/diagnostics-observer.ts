// The port by which a process looks on at its connections, whoever opened them: node/ implements it on
// node:diagnostics_channel. Whatever is watched, the connections behave the same.

import type { ObservedFrame } from "../shared/observed-frame.js";
import type { CloseInfo } from "./close-info.js";
import type { Connection } from "./connection.js";

/** Told of what happens on every connection of a runtime, at the time. Must not throw. */
export interface DiagnosticsObserver {
  /** Whether frames are to be shown. Asked once by each connection, when it opens. */
  readonly wantsFrames: boolean;
  onOpen(connection: Connection): void;
  /** A Ping of the peer arrived; it is answered already unless `autoPong` is off. */
  onPing(connection: Connection, payload: Uint8Array): void;
  /** A Pong arrived; `roundTrip` in milliseconds, null where it answers no ping in flight. */
  onPong(connection: Connection, payload: Uint8Array, roundTrip: number | null): void;
  /** A frame is handed to the socket. */
  onFrameSent(connection: Connection, frame: ObservedFrame): void;
  /** A frame arrived completely. */
  onFrameReceived(connection: Connection, frame: ObservedFrame): void;
  onClose(connection: Connection, info: CloseInfo): void;
}
