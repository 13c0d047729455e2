// An observer gets everything that a connection reads, in order. The event stream of `Client` is one. A connection
// without an observer pays nothing for this.

import type { Suspicion } from "../heartbeat/adaptive-detection.js";
import type { CloseFrame } from "../shared/close-code.js";
import type { HoldfastError } from "../shared/errors.js";
import type { CloseInfo } from "./close-info.js";
import type { ConnectionCore } from "./connection-core.js";
import type { Reader, Unread } from "./reading/inbox.js";

/**
 * Receives what a connection reads, in the order of arrival, within the call that read it. `take` receives messages and
 * must always accept the next one; an observer without room pauses reading. Bytes are views of the chunk in which they
 * arrived, so an observer that keeps them must copy them. `onEnded` is called last and exactly once.
 * `core` is that of the connection, for an observer of several.
 */
export interface ConnectionObserver extends Reader {
  /** The messages that the observer holds. */
  readonly unread: Unread;
  /** The ping has already been answered, unless `autoPong` is off. */
  onPing?(payload: Uint8Array, core: ConnectionCore): void;
  onPong?(payload: Uint8Array, roundTrip: number | null, core: ConnectionCore): void;
  /** As the events of the same name of a Connection. */
  onSuspended?(gap: number, core: ConnectionCore): void;
  onOverdue?(elapsed: number, expected: number, core: ConnectionCore): void;
  onSuspect?(suspicion: Suspicion, core: ConnectionCore): void;
  /**
   * The closing handshake begins, and messages may still arrive before the peer's Close. An observer without this method
   * cannot pause reading any more.
   */
  onClosingBegun?(core: ConnectionCore): void;
  /** The peer's Close arrived. Messages can still be sent until `answerClose` answers it. */
  onClosing(close: CloseFrame, core: ConnectionCore): void;
  /** The closing handshake is complete: both Close frames were exchanged, the one from `initiator` first. */
  onClosed?(close: CloseFrame, initiator: "local" | "peer", core: ConnectionCore): void;
  /** The peer violated the protocol. */
  onFailure?(error: HoldfastError): void;
  /** The peer was declared dead. */
  onDead?(silence: number): void;
  onEnded?(info: CloseInfo, core: ConnectionCore): void;
}
