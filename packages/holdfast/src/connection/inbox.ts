// Received messages on their way to the application: straight into a waiting reader where there is one, and
// otherwise into a bounded queue. One reader at a time.

import { ConcurrencyError } from "./errors.js";
import { isOver, isRoomy, overheadOf } from "./message-weight.js";

/** A text message is a string, a binary one its bytes. */
export type Message = string | Uint8Array;

/** Who waits for messages: `recv`, the iterator, or `forEach`. */
export interface Reader {
  /** Takes one message. Returns true where it is ready for the next at once. */
  take(message: Message): boolean;
  /** No message will come any more. */
  end(): void;
}

/** What the inbox wants of its connection: reading stopped, or going on. */
export interface InboxEvents {
  onInboxFull(): void;
  onInboxRoomy(): void;
}

export interface InboxLimits {
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
}

/** What waits to be read. */
export interface Unread {
  /** Messages. */
  readonly length: number;
  /** Bytes of them; a string counts its characters. */
  readonly bytes: number;
}

/** Stands for an empty queue: most connections wait with nothing queued. Never changed. */
const NO_MESSAGES: Message[] = [];

export class Inbox implements Unread {
  readonly #events: InboxEvents;
  readonly #limits: InboxLimits;
  #queue = NO_MESSAGES;
  #head = 0;
  #bytes = 0;
  #overhead = 0;
  #reader: Reader | null = null;
  #isReaderReady = false;
  #isFull = false;
  #beyondLimits: BeyondLimits = "hold";
  #hasEnded = false;

  constructor(events: InboxEvents, limits: InboxLimits) {
    this.#events = events;
    this.#limits = limits;
  }

  /** Messages that wait to be read. */
  get length(): number {
    return this.#queue.length - this.#head;
  }

  /** Bytes of the messages that wait to be read; a string counts its characters. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a message from the peer. */
  push(message: Message): void {
    if (this.#isReaderReady && this.length === 0 && this.#reader !== null) {
      this.#isReaderReady = false;
      if (this.#reader.take(message)) this.#isReaderReady = this.hasReader;
      return;
    }
    if (this.#beyondLimits === "drop" && this.#isOverLimit()) return;
    if (this.#queue === NO_MESSAGES) this.#queue = [];
    this.#queue.push(typeof message === "string" ? message : ownBytes(message));
    this.#bytes += message.length;
    this.#overhead += overheadOf(message);
    if (!this.#isFull && this.#beyondLimits === "hold" && this.#isOverLimit()) {
      this.#isFull = true;
      this.#events.onInboxFull();
    }
  }

  /**
   * Begins to read: what waits is handed over at once, as long as the reader is ready for it.
   * @throws ConcurrencyError where another reader is waiting
   */
  attach(reader: Reader, what: string): void {
    this.checkFree(what);
    this.#reader = reader;
    this.resume(reader);
  }

  /** @throws ConcurrencyError where somebody reads already */
  checkFree(what: string): void {
    if (this.#reader === null) return;
    throw new ConcurrencyError(
      `${what} was called while another recv(), iteration or forEach() was waiting for a message: only one can have it`,
    );
  }

  /** Whether somebody reads already. */
  get hasReader(): boolean {
    return this.#reader !== null;
  }

  /** Whether a reader is at work on a message while others wait for it. */
  get hasBusyReader(): boolean {
    return this.#reader !== null && this.length > 0;
  }

  detach(reader: Reader): void {
    if (this.#reader !== reader) return;
    this.#reader = null;
    this.#isReaderReady = false;
  }

  /** The reader takes messages again: first those that wait. */
  resume(reader: Reader): void {
    while (this.#reader === reader && this.length > 0) {
      if (!reader.take(this.#shift())) return;
    }
    if (this.#reader !== reader) return;
    if (this.#hasEnded) this.#endReader();
    else this.#isReaderReady = true;
  }

  /** Takes the oldest message; undefined where none waits. */
  poll(): Message | undefined {
    return this.length === 0 ? undefined : this.#shift();
  }

  /** The connection is ending: what was received and held back is taken in, whatever the limits. */
  takeIn(): void {
    if (this.#beyondLimits === "hold") this.#beyondLimits = "take";
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#events.onInboxRoomy();
  }

  /** From here on nothing holds the peer back, so that its Close can be read; what exceeds the limits is dropped. */
  drain(): void {
    this.#beyondLimits = "drop";
  }

  /** No message will come any more; those that wait can still be read. */
  end(): void {
    this.#hasEnded = true;
    if (this.#isReaderReady) this.#endReader();
  }

  #endReader(): void {
    const reader = this.#reader;
    this.#reader = null;
    this.#isReaderReady = false;
    reader?.end();
  }

  #shift(): Message {
    const message = this.#queue[this.#head];
    this.#queue[this.#head++] = "";
    this.#bytes -= message.length;
    this.#overhead -= overheadOf(message);
    if (this.#head === this.#queue.length) {
      this.#queue = NO_MESSAGES;
      this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    if (this.#isFull && this.#isRoomy()) {
      this.#isFull = false;
      this.#events.onInboxRoomy();
    }
    return message;
  }

  #isOverLimit(): boolean {
    const { maxQueuedMessages, maxQueuedBytes } = this.#limits;
    return this.length > maxQueuedMessages || isOver(maxQueuedBytes, this.#bytes, this.#overhead);
  }

  #isRoomy(): boolean {
    const { maxQueuedMessages, maxQueuedBytes } = this.#limits;
    return this.length <= maxQueuedMessages / 4 && isRoomy(maxQueuedBytes, this.#bytes, this.#overhead);
  }
}

/** What becomes of messages beyond the limits: the peer is held back, or they are taken all the same, or dropped. */
type BeyondLimits = "drop" | "hold" | "take";

/** An empty view has some 200 bytes of its own, and a chunk has room for 32,768 empty messages: they share one. */
const NO_BYTES = new Uint8Array(0);

/** A small slice that waits would keep all of the chunk in memory that it was read in. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return NO_BYTES;
  return bytes.length * 2 < bytes.buffer.byteLength ? bytes.slice() : bytes;
}
