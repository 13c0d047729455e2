// What a tap makes different for its connection: where messages wait, and that the peer's Close has to wait for an
// answer.

import type { CloseFrame } from "../shared/close-code.js";
import type { PieceHandler } from "../protocol/message/piece-decoder.js";
import type { InboxHandler } from "./inbox.js";
import type { ConnectionState } from "./connection-core.js";
import type { ConnectionObserver, ObservedConnection } from "./connection-observer.js";
import type { MessageTransport } from "./message-transport.js";

/** What a tapped connection needs of its link. */
export interface ObserverBindingHandler extends InboxHandler {
  readonly state: ConnectionState;
  readonly lastReceivedAt: number;
  /** A message was handed out to its end. */
  onStreamedMessage(): void;
}

export class ObserverBinding implements ObservedConnection {
  readonly observer: ConnectionObserver;
  readonly #wire: MessageTransport;
  readonly #host: ObserverBindingHandler;
  /** The peer's Close. */
  #unanswered: CloseFrame | null = null;
  #isEofUnanswered = false;

  constructor(tap: ConnectionObserver, wire: MessageTransport, host: ObserverBindingHandler) {
    this.observer = tap;
    this.#wire = wire;
    this.#host = host;
  }

  get lastReceivedAt(): number {
    return this.#host.lastReceivedAt;
  }

  get mayAnswer(): boolean {
    return this.#wire.answersClose !== true;
  }

  /** The peer's Close, while it waits for an answer. */
  get unanswered(): CloseFrame | null {
    return this.#unanswered;
  }

  pauseReading(): void {
    if (this.#host.state === "open") this.#host.onInboxFull(); // Its end is to be read in any case.
  }

  resumeReading(): void {
    this.#host.onInboxBelowLowWater();
  }

  streamTo(sink: PieceHandler | null): void {
    this.#wire.streamTo(sink === null ? null : this.#counted(sink));
  }

  answerClose(): void {
    const close = this.#unanswered;
    if (close === null) return;
    this.#unanswered = null;
    this.#wire.queueClose(close, false); // Behind what was sent meanwhile.
    if (this.#isEofUnanswered) this.#wire.end();
    this.observer.onClosed(close, "peer");
  }

  /** The peer's Close came. Ours may have been sent before, because `hasFailed`, or as the first of the two. */
  onClose(close: CloseFrame, hasFailed: boolean): void {
    if (this.#wire.closeSent === null) {
      this.#unanswered = close;
      this.observer.onClosing(close);
    } else if (!hasFailed) {
      this.observer.onClosed(close, "local");
    }
  }

  /** Returns whether the end of the peer's side has to wait for the answer, too. */
  onEof(): boolean {
    this.#isEofUnanswered = this.#unanswered !== null;
    return this.#isEofUnanswered;
  }

  /** There is nothing left to be answered. */
  settle(): void {
    this.#unanswered = null;
  }

  #counted(sink: PieceHandler): PieceHandler {
    return {
      onPiece: (piece) => sink.onPiece(piece),
      onLastPiece: () => {
        this.#host.onStreamedMessage();
        sink.onLastPiece();
      },
    };
  }
}
