// Connects a ConnectionObserver to its connection: messages queue in the observer, and the observer decides when the
// peer's Close is answered.

import type { CloseFrame } from "../shared/close-code.js";
import type { PieceHandler } from "../protocol/message/piece-decoder.js";
import type { ConnectionCore } from "./connection-core.js";
import type { ConnectionObserver, ObservedConnection } from "./connection-observer.js";
import type { MessageTransport } from "./message-transport.js";

/** From now on the observer receives everything that is read; the inbox receives no more messages. */
export function attachObserver(core: ConnectionCore, observer: ConnectionObserver): ObservedConnection {
  return core.bind(observer, (transport) => new SeparateBinding(observer, transport, core));
}

export abstract class ObserverBinding implements ObservedConnection {
  abstract readonly observer: ConnectionObserver;
  readonly #transport: MessageTransport;
  readonly core: ConnectionCore;
  /** The peer's Close. */
  #unanswered: CloseFrame | null = null;
  #isEofUnanswered = false;

  constructor(transport: MessageTransport, core: ConnectionCore) {
    this.#transport = transport;
    this.core = core;
  }

  get lastReceivedAt(): number {
    return this.core.lastReceivedAt;
  }

  get mayAnswer(): boolean {
    return this.#transport.answersClose !== true;
  }

  /** The peer's Close, while it waits for an answer. */
  get unanswered(): CloseFrame | null {
    return this.#unanswered;
  }

  pauseReading(): void {
    if (this.core.state === "open") this.core.onInboxFull(); // A closing connection must still read its end.
  }

  resumeReading(): void {
    this.core.onInboxBelowLowWater();
  }

  streamTo(handler: PieceHandler | null): void {
    this.#transport.streamTo(handler === null ? null : this.#counted(handler));
  }

  answerClose(): void {
    const close = this.#unanswered;
    if (close === null) return;
    this.#unanswered = null;
    this.#transport.queueClose(close, false); // After the messages that were sent meanwhile.
    if (this.#isEofUnanswered) this.#transport.end();
    this.observer.onClosed(close, "peer");
  }

  /** The peer's Close arrived. We may have sent ours before: because the connection `hasFailed`, or to close first. */
  onClose(close: CloseFrame, hasFailed: boolean): void {
    if (this.#transport.closeSent === null) {
      this.#unanswered = close;
      this.observer.onClosing(close);
    } else if (!hasFailed) {
      this.observer.onClosed(close, "local");
    }
  }

  /** Returns true if the end of our side must wait until the peer's Close has been answered. */
  onEof(): boolean {
    this.#isEofUnanswered = this.#unanswered !== null;
    return this.#isEofUnanswered;
  }

  /** The peer's Close needs no answer any more. */
  settle(): void {
    this.#unanswered = null;
  }

  #counted(handler: PieceHandler): PieceHandler {
    return {
      maxSize: handler.maxSize,
      onPiece: (piece) => handler.onPiece(piece),
      onLastPiece: () => {
        this.core.onStreamedMessage();
        handler.onLastPiece();
      },
    };
  }
}

/** An observer that is an object of its own. */
class SeparateBinding extends ObserverBinding {
  readonly observer: ConnectionObserver;

  constructor(observer: ConnectionObserver, transport: MessageTransport, core: ConnectionCore) {
    super(transport, core);
    this.observer = observer;
  }
}
