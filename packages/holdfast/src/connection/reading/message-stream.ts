// `recvStream()`: delivers one message piece by piece as it arrives.

import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import { ignore } from "../../shared/deferred.js";
import { HoldfastError } from "../../shared/errors.js";
import type { PieceHandler } from "../../protocol/message/piece-decoder.js";
import type { Inbox, Message, Reader } from "./inbox.js";
import { rejectToCaller } from "../caller-stack.js";
import { asPiece, DONE, type ReadResult } from "./readers.js";
import { MessageQueue } from "./message-queue.js";
import type { ConnectionCore } from "../connection-core.js";

export class MessageStream implements AsyncIterableIterator<Message, undefined>, Reader, PieceHandler {
  readonly #connection: ConnectionCore;
  readonly #inbox: Inbox;
  readonly #signal: AbortSignal | null;
  /** The most bytes that the message may have. */
  readonly maxSize: number;
  readonly #pieces = new MessageQueue();
  #isFull = false;
  #isUsed = false;
  #state: "begun" | "broken" | "complete" | "fresh" | "left" = "fresh";
  #resolve: (result: ReadResult | PromiseLike<never>) => void = ignore;

  constructor(connection: ConnectionCore, signal: AbortSignal | null, maxSize: number) {
    this.maxSize = maxSize;
    this.#connection = connection;
    this.#inbox = connection.inbox;
    this.#signal = signal;
    this.#inbox.addUser();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<ReadResult> {
    return new Promise((resolve) => {
      this.#begin();
      this.#signal?.throwIfAborted();
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        this.#checkRoom();
        resolve({ value: piece, done: false });
        this.#leaveInbox(this.#connection.now());
        return;
      }
      if (this.#state === "complete" || this.#state === "left") {
        resolve(DONE);
        return;
      }
      if (this.#state === "broken") {
        this.#state = "left";
        throw brokenMessage();
      }
      this.#inbox.checkFree("recvStream()");
      this.#resolve = resolve;
      watchAbort(this.#signal, this.#onAbort);
      if (this.#state === "fresh" && this.#inbox.length === 0) {
        const { held } = this.#connection;
        if (held === null) this.#connection.streamTo(this);
        else held.giveTo(this);
        if (!this.#isWaiting) return; // A piece had already arrived.
      }
      this.#inbox.attach(this, "recvStream()");
    });
  }

  /** Ends the iteration: the rest of the message is discarded as it arrives. */
  return(): Promise<ReadResult> {
    const resolve = this.#resolve;
    this.#begin();
    this.#leave();
    this.#stopWaiting();
    resolve(DONE);
    return Promise.resolve(DONE);
  }

  /** Whether it holds so much that reading pauses. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** A whole message: it was already queued, or was compressed. */
  take(message: Message): boolean {
    this.#connection.streamTo(null);
    this.#state = "complete";
    this.#settle(asPiece(message));
    return false;
  }

  /** The connection ended within the message. */
  end(): void {
    this.fail(this.#connection.closedError());
  }

  fail(error: unknown): void {
    const resolve = this.#resolve;
    if (!this.#isWaiting) return;
    this.#stopWaiting();
    resolve(rejectToCaller(error));
  }

  onPiece(piece: Message): void {
    if (this.#state === "left") return;
    this.#state = "begun";
    if (this.#isWaiting) {
      this.#settle(piece);
      return;
    }
    this.#pieces.add(piece);
    const { settings, state } = this.#connection;
    // A connection that closes resumes reading, since the peer's Close is to come, as far as the memory limit allows.
    const isOver =
      state === "open"
        ? this.#pieces.isOver(settings.maxQueuedBytes)
        : this.#pieces.isOverMemory(settings.maxQueuedBytes);
    if (!isOver) return;
    this.#isFull = true;
    this.#connection.pauseReading("stream");
  }

  onLastPiece(): void {
    if (this.#state === "left") return;
    this.#state = "complete";
    this.#connection.onStreamedMessage();
    if (!this.#isWaiting) return;
    const resolve = this.#resolve;
    this.#stopWaiting();
    this.#leaveInbox();
    resolve(DONE);
  }

  onBroken(): void {
    if (this.#state === "left") return;
    this.#state = "broken";
    if (!this.#isWaiting) return;
    this.#state = "left";
    this.fail(brokenMessage());
    this.#leaveInbox();
  }

  readonly #onAbort = (): void => {
    this.#leave();
    this.fail(this.#signal?.reason);
  };

  /** From the first call on, the inbox knows how far the stream is. */
  #begin(): void {
    if (!this.#isUsed) this.#inbox.removeUser();
    this.#isUsed = true;
  }

  #leave(): void {
    if (this.#state === "fresh") this.#connection.streamTo(null);
    else if (!this.#inbox.hasReader) this.#inbox.noteReader("caller", this.#connection.now());
    this.#state = "left";
    this.#pieces.clear();
    this.#checkRoom();
  }

  get #isWaiting(): boolean {
    return this.#resolve !== ignore;
  }

  #settle(piece: Message): void {
    const resolve = this.#resolve;
    this.#stopWaiting();
    this.#leaveInbox();
    resolve({ value: piece, done: false });
  }

  /** The loop will request the next piece; after the last one, its body may send an answer. */
  #leaveInbox(at?: number): void {
    const isRead = this.#state === "complete" && this.#pieces.length === 0;
    this.#inbox.noteReader(isRead ? "caller" : "stream", at);
  }

  #stopWaiting(): void {
    this.#resolve = ignore;
    this.#inbox.detach(this);
    unwatchAbort(this.#signal, this.#onAbort);
  }

  #checkRoom(): void {
    const { maxQueuedBytes } = this.#connection.settings;
    if (!this.#isFull || !this.#pieces.isBelowLowWater(maxQueuedBytes)) return;
    this.#isFull = false;
    this.#connection.resumeReading("stream");
  }
}

function brokenMessage(): HoldfastError {
  return new HoldfastError(
    "Expected the rest of the message, got none: its sender streamed it, and the socket was cut meanwhile. Read the next message.",
  );
}
