// A tap on a connection, for who wants everything that it reads, in order: the event stream of `Client`. A connection
// without one pays nothing for it.

import type { CloseFrame } from "../shared/close-code.js";
import type { PieceHandler } from "../protocol/message/piece-decoder.js";
import type { HoldfastError } from "../shared/errors.js";
import type { CloseInfo } from "./close-info.js";
import type { Reader, Unread } from "./inbox.js";

/**
 * Is told what a connection reads, in the order of arrival, within the call that read it. Messages come by way of
 * `take`, which is always ready for the next: the tap has room for them, or stops reading. Bytes lie in the chunk that
 * they came in: whoever keeps them copies them. `onEnded` comes last and exactly once.
 */
export interface ConnectionObserver extends Reader {
  /** The messages that the tap keeps. */
  readonly unread: Unread;
  /** It is answered already, unless `autoPong` is off. */
  onPing(payload: Uint8Array): void;
  onPong(payload: Uint8Array, roundTrip: number | null): void;
  onSuspended(gap: number): void;
  /** The peer closes. Its Close is not answered, and messages can be sent, until `answerClose` is called. */
  onClosing(close: CloseFrame): void;
  /** The closing handshake is complete: both Close frames were sent, that of `initiator` first. */
  onClosed(close: CloseFrame, initiator: "local" | "peer"): void;
  /** The peer broke the rules. */
  onFailure(error: HoldfastError): void;
  /** The peer was declared dead. */
  onDead(silence: number): void;
  onEnded(info: CloseInfo): void;
}

/** What a tap can do with its connection. */
export interface ObservedConnection {
  /** Monotonic time at which bytes were read last. */
  readonly lastReceivedAt: number;
  /** Whether messages can be sent before the peer's Close is answered. */
  readonly mayAnswer: boolean;
  /** Too much waits: no more is read, until `resumeReading`. */
  pauseReading(): void;
  resumeReading(): void;
  /** Hands the message that arrives, or the next one, to the sink piece by piece; null for none. */
  streamTo(sink: PieceHandler | null): void;
  /** Answers the peer's Close, behind what was sent before. Does nothing where there is none to answer. */
  answerClose(): void;
}
