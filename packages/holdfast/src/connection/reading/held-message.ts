// A message larger than `maxMessageSize` that began to arrive while nobody read. The next reader decides: `recvStream()`
// takes it piece by piece, and for anyone else it is too big.

import type { PieceHandler } from "../../protocol/message/piece-decoder.js";
import { MessageTooBigError } from "../../shared/errors.js";
import type { Message } from "./inbox.js";
import { MessageQueue } from "./message-queue.js";
import type { MessageStream } from "./message-stream.js";
import { Deadline } from "../timer-queue.js";
import type { ConnectionCore } from "../connection-core.js";

export class HeldMessage extends Deadline implements PieceHandler {
  /** The size of the message as far as it was announced, in bytes. */
  readonly size: number;
  readonly #connection: ConnectionCore;
  readonly #pieces = new MessageQueue();
  /** The messages that came after it: reading does not pause while the connection ends. */
  readonly #following: Message[] = [];
  #reader: MessageStream | null = null;
  #isFull = false;
  #end: "broken" | "complete" | null = null;

  constructor(connection: ConnectionCore, size: number) {
    super();
    this.#connection = connection;
    this.size = size;
    this.#wait();
    connection.streamTo(this);
  }

  /** No limit, until there is a reader that has one. */
  get maxSize(): number {
    return this.#reader?.maxSize ?? Infinity;
  }

  /** The reader takes the pieces that have arrived, and gets the others as they arrive, unless the message is too big for it. */
  giveTo(reader: MessageStream): void {
    if (this.size > reader.maxSize) {
      this.refuse(reader.maxSize);
      return;
    }
    this.stop();
    this.#connection.held = null;
    this.#reader = reader;
    for (let piece = this.#pieces.shift(); piece !== undefined; piece = this.#pieces.shift())
      reader.onPiece(piece);
    if (this.#end === "complete") reader.onLastPiece();
    else if (this.#end === "broken") reader.onBroken();
    this.#release();
    if (this.#isFull && !reader.isFull) this.#connection.resumeReading("stream");
  }

  /** Another message arrived, which is to be read later. */
  follow(message: Message): void {
    this.#following.push(message);
  }

  /** Nobody may read it: it is larger than `limit`. */
  refuse(limit: number): void {
    const connection = this.#connection;
    this.#drop();
    connection.held = null;
    if (connection.state !== "open") return;
    const reason = `Expected a message of at most ${limit} bytes, got ${this.size} or more`;
    const error = new MessageTooBigError(`${reason}.`, this.size, limit);
    connection.onFailure({ cause: "message-too-big", error, close: { code: 1009, reason } });
  }

  stop(): void {
    this.#connection.timers.cancel(this);
  }

  onPiece(piece: Message): void {
    if (this.#reader !== null) {
      this.#reader.onPiece(piece);
      return;
    }
    if (this.#end !== null) return;
    this.#pieces.add(piece);
    const { maxQueuedBytes } = this.#connection.settings;
    // Reading does not pause while the connection ends.
    if (this.#isFull && this.#pieces.isOver(2 * maxQueuedBytes)) this.#drop();
    else if (this.#pieces.isOver(maxQueuedBytes)) this.#pause();
  }

  onLastPiece(): void {
    if (this.#reader !== null) {
      this.#reader.onLastPiece();
      return;
    }
    if (this.#end !== null) return;
    this.#end = "complete";
    this.#pause(); // Later messages, which may be large too, wait in the transport.
  }

  onBroken(): void {
    if (this.#reader !== null) this.#reader.onBroken();
    else this.#end ??= "broken";
  }

  onAlarm(): void {
    if (this.#connection.inbox.presence === "nobody") this.#connection.onUnread();
    else this.#wait(); // A slow reader gets all the time it needs.
  }

  #drop(): void {
    this.stop();
    this.#pieces.clear();
    this.#end = "broken";
    this.#release();
  }

  #pause(): void {
    if (this.#isFull) return;
    this.#isFull = true;
    if (this.#connection.state === "open") this.#connection.pauseReading("stream");
  }

  #release(): void {
    for (const message of this.#following.splice(0)) this.#connection.inbox.push(message);
  }

  #wait(): void {
    this.#connection.timers.set(this, this.#connection.now() + UNTIL_REFUSED);
  }
}

/** Milliseconds without a reader after which the message is too big. */
const UNTIL_REFUSED = 5_000;
