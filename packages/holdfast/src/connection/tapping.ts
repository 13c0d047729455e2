// What a tap makes different for its connection: where messages wait, and that the peer's Close has to wait for an
// answer.

import type { CloseFrame } from "../protocol/close-code.js";
import type { PieceSink } from "../protocol/message/piece-decoder.js";
import type { InboxEvents } from "./inbox.js";
import type { ConnectionState } from "./link.js";
import type { Tap, TappedConnection } from "./tap.js";
import type { Wire } from "./wire.js";

/** What a tapped connection needs of its link. */
export interface TappingHost extends InboxEvents {
  readonly state: ConnectionState;
  readonly lastReceivedAt: number;
  /** A message was handed out to its end. */
  onStreamedMessage(): void;
}

export class Tapping implements TappedConnection {
  readonly tap: Tap;
  readonly #wire: Wire;
  readonly #host: TappingHost;
  /** The peer's Close. */
  #unanswered: CloseFrame | null = null;
  #isEofUnanswered = false;

  constructor(tap: Tap, wire: Wire, host: TappingHost) {
    this.tap = tap;
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
    this.#host.onInboxRoomy();
  }

  streamTo(sink: PieceSink | null): void {
    this.#wire.streamTo(sink === null ? null : this.#counted(sink));
  }

  answerClose(): void {
    const close = this.#unanswered;
    if (close === null) return;
    this.#unanswered = null;
    this.#wire.queueClose(close, false); // Behind what was sent meanwhile.
    if (this.#isEofUnanswered) this.#wire.end();
    this.tap.onClosed(close, "peer");
  }

  /** The peer's Close came. Ours may have been sent before, because `hasFailed`, or as the first of the two. */
  onClose(close: CloseFrame, hasFailed: boolean): void {
    if (this.#wire.closeSent === null) {
      this.#unanswered = close;
      this.tap.onClosing(close);
    } else if (!hasFailed) {
      this.tap.onClosed(close, "local");
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

  #counted(sink: PieceSink): PieceSink {
    return {
      onPiece: (piece) => sink.onPiece(piece),
      onLastPiece: () => {
        this.#host.onStreamedMessage();
        sink.onLastPiece();
      },
    };
  }
}
