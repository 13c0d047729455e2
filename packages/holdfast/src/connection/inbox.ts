// Passes received messages to the reader that waits for them, or else into a bounded queue. One reader at a time.

import { InvalidStateError } from "../shared/errors.js";
import { READER_GRACE } from "./close-reply.js";
import { ConcurrencyError } from "./errors.js";
import { isOver, isOverMemory, isBelowLowWater, overheadOf } from "./message-weight.js";

/** A text message is a string, a binary message its bytes. */
export type Message = string | Uint8Array;

/** Waits for messages: `recv`, the iterator, or `forEach`. */
export interface Reader {
  /** Takes one message. Returns true if it is ready for the next one at once. */
  take(message: Message): boolean;
  /** The connection has ended: no more messages will arrive. */
  end(): void;
  /** Messages were dropped, so that the ones after them cannot be delivered. */
  fail(error: InvalidStateError): void;
}

/**
 * The kind of reader: a `reader` waits for messages, handles one, or is an iteration that will request the next; a
 * `caller` took a message with `recv()` and may call it again; `nobody` reads.
 */
export type Presence = "caller" | "nobody" | "reader";

/** Receives the events of the inbox, to pause and resume reading. */
export interface InboxHandler {
  /** Monotonic time of the last read. */
  readonly lastReceivedAt: number;
  now(): number;
  onInboxFull(): void;
  onInboxBelowLowWater(): void;
  /** The reader has finished with messages that it took. Not called for one that a callback handles as it arrives. */
  onProgress?(): void;
}

export interface InboxLimits {
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
}

/** The amount of unread messages. */
export interface Unread {
  /** The number of messages. */
  readonly length: number;
  /** Their bytes; a string counts its characters. */
  readonly bytes: number;
}

/** The empty queue that idle connections share. Never changed. */
const NO_MESSAGES: Message[] = [];

export class Inbox implements Unread {
  readonly #handler: InboxHandler;
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
  /** The kind of reader that took the newest message, while none is attached. */
  #lastReader: Presence = "nobody";
  /** The application waits for the end of the connection and has not read since. */
  #isEndExpected = false;
  /** Monotonic time at which the last message of a queue was taken. */
  #takenAt = -Infinity;
  /** The limits in number and bytes are suspended; only the memory limit applies. */
  #isStretched = false;
  /** The number of messages dropped because nobody read. */
  #dropped = 0;
  #onRead: (() => void) | null = null;

  constructor(handler: InboxHandler, limits: InboxLimits) {
    this.#handler = handler;
    this.#limits = limits;
  }

  /** The number of unread messages. */
  get length(): number {
    return this.#queue.length - this.#head;
  }

  /** The bytes of the unread messages; a string counts its characters. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A copy of the unread messages, the oldest first. */
  peek(): Message[] {
    return this.#queue.slice(this.#head);
  }

  /** Takes the unread messages away from their readers, the oldest first: another process will handle them. */
  takeAll(): Message[] {
    const unread = this.#queue.slice(this.#head);
    while (this.length > 0) this.#shift();
    return unread;
  }

  /**
   * The number of messages, at most one, that the reader took and has not finished with: the callback has not settled, or
   * the next message was not requested.
   */
  get inProgress(): 0 | 1 {
    if (this.#beyondLimits === "discard" || this.#isReaderReady) return 0;
    return this.presence === "nobody" ? 0 : 1;
  }

  /** Accepts a message from the peer. */
  push(message: Message): void {
    if (this.#isReaderReady && this.length === 0 && this.#reader !== null) {
      this.#isReaderReady = false;
      if (this.#reader.take(message)) this.#isReaderReady = this.hasReader;
      return;
    }
    if (this.#beyondLimits !== "hold" && this.#mustDrop()) return;
    if (this.#queue === NO_MESSAGES) this.#queue = [];
    this.#queue.push(typeof message === "string" ? message : ownBytes(message));
    this.#bytes += message.length;
    this.#overhead += overheadOf(message);
    if (!this.#isFull && this.#beyondLimits === "hold" && this.#isOverLimit()) {
      this.#isFull = true;
      this.#handler.onInboxFull();
    }
  }

  /**
   * Attaches a reader. It gets the queued messages at once, as long as it is ready for more.
   * @throws ConcurrencyError while another reader is attached
   * @throws InvalidStateError after `discard()`
   */
  attach(reader: Reader, what: string): void {
    this.checkFree(what);
    this.#reader = reader;
    this.#isEndExpected = false;
    this.resume(reader);
  }

  /** @throws ConcurrencyError while a reader is attached */
  checkFree(what: string): void {
    if (this.#beyondLimits === "discard") throw new InvalidStateError(DISCARDED);
    if (this.#reader === null) return;
    throw new ConcurrencyError(
      `${what} was called while another recv(), iteration or forEach() was waiting for a message: only one can have it`,
    );
  }

  /** Whether a reader is attached. */
  get hasReader(): boolean {
    return this.#reader !== null;
  }

  /** Whether the reader handles a message while others wait for it. */
  get hasBusyReader(): boolean {
    return this.#reader !== null && this.length > 0;
  }

  detach(reader: Reader): void {
    if (this.#reader !== reader) return;
    this.#reader = null;
    this.#isReaderReady = false;
  }

  /** The reader is ready again: it gets the queued messages first. */
  resume(reader: Reader): void {
    while (this.#reader === reader && this.length > 0) {
      if (reader.take(this.#shift())) continue;
      this.#handler.onProgress?.();
      return;
    }
    if (this.#reader !== reader) return;
    if (this.#dropped > 0) {
      this.detach(reader);
      reader.fail(new InvalidStateError(describeDropped(this.#dropped)));
      return;
    }
    this.#lastReader = "nobody";
    if (this.#hasEnded) this.#endReader();
    else this.#isReaderReady = true;
    this.#handler.onProgress?.();
    this.#onRead?.();
  }

  /** Takes the oldest message; undefined if the queue is empty. */
  poll(by: Presence): Message | undefined {
    this.#lastReader = by;
    this.#isEndExpected = false;
    const message = this.length === 0 ? undefined : this.#shift();
    this.#handler.onProgress?.();
    return message;
  }

  /** A reader took a message, and stays detached until it requests the next one. */
  noteReader(by: Presence, at = this.#handler.lastReceivedAt): void {
    this.#lastReader = by;
    this.#takenAt = Math.max(this.#takenAt, at);
  }

  /** The application awaits the end of the connection, so it reads no more messages. */
  expectEnd(): void {
    if (this.presence === "reader") return;
    this.#lastReader = "nobody";
    this.#isEndExpected = true;
    this.#onRead?.();
  }

  get presence(): Presence {
    return this.#reader === null ? this.#lastReader : "reader";
  }

  /**
   * The monotonic time until which a reader may still handle received messages: Infinity while one certainly does,
   * -Infinity if all messages have been handled.
   */
  busyUntil(now: number, openedAt: number): number {
    if (this.#beyondLimits === "discard" || this.#isReaderReady) return -Infinity;
    switch (this.presence) {
      case "reader":
        return Infinity;
      case "caller":
        return (this.length > 0 ? now : this.#takenAt) + READER_GRACE;
      case "nobody":
        return this.length > 0 && !this.#isEndExpected ? openedAt + READER_GRACE : -Infinity;
    }
  }

  /** Sets a callback for the moment when everything has been read, called within `resume`; null for none. */
  whenRead(callback: (() => void) | null): void {
    this.#onRead = callback;
  }

  /**
   * Drops all queued and future messages.
   * @throws ConcurrencyError while a reader is attached
   */
  discard(): void {
    if (this.#beyondLimits === "discard") return;
    this.checkFree("discard()");
    if (this.presence === "reader") throw new ConcurrencyError(READ_WHEN_DISCARDED);
    this.#beyondLimits = "discard";
    this.#lastReader = "nobody";
    this.#queue = NO_MESSAGES;
    this.#head = 0;
    this.#bytes = 0;
    this.#overhead = 0;
    this.#dropped = 0;
    this.#isStretched = false;
    if (this.#isFull) {
      this.#isFull = false;
      this.#handler.onInboxBelowLowWater();
    }
    this.#onRead?.();
  }

  /** Suspends all limits but that of memory, since nobody reads a full inbox. Returns false if this makes no room. */
  stretch(): boolean {
    if (this.#isStretched || !this.#isFull) return false;
    this.#isStretched = true;
    this.#isFull = this.#isOverLimit();
    return !this.#isFull;
  }

  /** Nobody reads: keeps the queued messages and drops new ones beyond the limits. */
  dropUnread(): void {
    if (this.#beyondLimits !== "hold") return;
    this.#beyondLimits = "drop-unread";
    this.#isStretched = true;
    this.#isFull = false;
  }

  /** The connection is ending: accepts the messages that the transport held back, whatever the limits. */
  acceptBeyondLimits(): void {
    if (this.#beyondLimits === "hold") this.#beyondLimits = "take";
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#handler.onInboxBelowLowWater();
  }

  /** Drops messages beyond the limits instead of pausing, so that the peer's Close can be read. */
  drain(): void {
    if (this.#beyondLimits === "take") this.#beyondLimits = "drop";
  }

  /** No more messages will arrive; queued ones can still be read. */
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
      this.#takenAt = this.#handler.now();
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    if ((this.#isFull || this.#isStretched) && this.#isBelowLowWater()) {
      this.#isFull = false;
      this.#isStretched = this.#beyondLimits === "drop-unread";
      this.#handler.onInboxBelowLowWater();
    }
    return message;
  }

  #mustDrop(): boolean {
    switch (this.#beyondLimits) {
      case "hold":
      case "take":
        return false;
      case "discard":
        return true;
      case "drop":
        return this.#isOverLimit();
      case "drop-unread":
        // After a gap, later messages are of no use.
        if (this.#dropped === 0 && !this.#isOverLimit()) return false;
        this.#dropped++;
        return true;
    }
  }

  #isOverLimit(): boolean {
    const { maxQueuedMessages, maxQueuedBytes } = this.#limits;
    if (this.#isStretched) return isOverMemory(maxQueuedBytes, this.#bytes, this.#overhead);
    return this.length > maxQueuedMessages || isOver(maxQueuedBytes, this.#bytes, this.#overhead);
  }

  #isBelowLowWater(): boolean {
    const { maxQueuedMessages, maxQueuedBytes } = this.#limits;
    return (
      this.length <= maxQueuedMessages / 4 && isBelowLowWater(maxQueuedBytes, this.#bytes, this.#overhead)
    );
  }
}

/**
 * The treatment of messages beyond the limits: pause reading (`hold`), accept them all the same (`take`), or drop them.
 * `discard` drops messages within the limits as well.
 */
type BeyondLimits = "discard" | "drop" | "drop-unread" | "hold" | "take";

const READ_WHEN_DISCARDED =
  "Expected no reader when discard() is called, got an iteration or a recvStream() that has not ended. Leave its loop first.";

const DISCARDED =
  "Expected a connection whose messages are read, got one after discard(), which drops them. Remove discard(), or do not read.";

function describeDropped(count: number): string {
  return `Expected a reader while the inbox was full, got none for seconds, so that ${count} messages were dropped. Read from the start, or call discard() where nothing is to be read.`;
}

/** Shared by all empty messages: a view takes some 200 bytes, and a chunk may hold 32,768 empty messages. */
const NO_BYTES = new Uint8Array(0);

/** Copies small views: a queued view would keep its whole chunk in memory. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return NO_BYTES;
  return bytes.length * 2 < bytes.buffer.byteLength ? bytes.slice() : bytes;
}
