// Received messages on their way to the application: straight into a waiting reader where there is one, and
// otherwise into a bounded queue. One reader at a time.

import { InvalidStateError } from "../shared/errors.js";
import { READER_GRACE } from "./close-reply.js";
import { ConcurrencyError } from "./errors.js";
import { isOver, isOverMemory, isBelowLowWater, overheadOf } from "./message-weight.js";

/** A text message is a string, a binary one its bytes. */
export type Message = string | Uint8Array;

/** Who waits for messages: `recv`, the iterator, or `forEach`. */
export interface Reader {
  /** Takes one message. Returns true where it is ready for the next at once. */
  take(message: Message): boolean;
  /** No message will come any more. */
  end(): void;
  /** Messages were dropped: those that follow cannot be handed out. */
  fail(error: InvalidStateError): void;
}

/**
 * Who reads: a `reader` that waits for messages, is at work on one, or is an iteration that will ask for the next; a
 * `caller` who took a message and may ask for another; or `nobody`.
 */
export type Presence = "caller" | "nobody" | "reader";

/** What the inbox wants of its connection: reading stopped, or going on. */
export interface InboxHandler {
  /** Monotonic time at which bytes were read last. */
  readonly lastReceivedAt: number;
  now(): number;
  onInboxFull(): void;
  onInboxBelowLowWater(): void;
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
  readonly #events: InboxHandler;
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
  /** Who took the newest message, while no reader is attached. */
  #away: Presence = "nobody";
  /** The application waits for the end, and has not read since. */
  #isEndExpected = false;
  /** When; of several that waited, the last. */
  #takenAt = -Infinity;
  /** More than the limits, in number and bytes, may wait, up to the memory that they allow. */
  #isStretched = false;
  /** Messages that were dropped, since nobody read. */
  #dropped = 0;
  #onRead: (() => void) | null = null;

  constructor(events: InboxHandler, limits: InboxLimits) {
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
    if (this.#beyondLimits !== "hold" && this.#isToBeDropped()) return;
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
   * @throws InvalidStateError after `discard()`
   */
  attach(reader: Reader, what: string): void {
    this.checkFree(what);
    this.#reader = reader;
    this.#isEndExpected = false;
    this.resume(reader);
  }

  /** @throws ConcurrencyError where somebody reads already */
  checkFree(what: string): void {
    if (this.#beyondLimits === "discard") throw new InvalidStateError(DISCARDED);
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
    if (this.#dropped > 0) {
      this.detach(reader);
      reader.fail(new InvalidStateError(describeDropped(this.#dropped)));
      return;
    }
    this.#away = "nobody";
    if (this.#hasEnded) this.#endReader();
    else this.#isReaderReady = true;
    this.#onRead?.();
  }

  /** Takes the oldest message; undefined where none waits. */
  poll(by: Presence): Message | undefined {
    this.#away = by;
    this.#isEndExpected = false;
    return this.length === 0 ? undefined : this.#shift();
  }

  /** A reader took a message, and is not attached until it comes for the next. */
  leave(by: Presence, at = this.#events.lastReceivedAt): void {
    this.#away = by;
    this.#takenAt = Math.max(this.#takenAt, at);
  }

  /** The application waits for the end of the connection, and so for no message any more. */
  expectEnd(): void {
    if (this.presence === "reader") return;
    this.#away = "nobody";
    this.#isEndExpected = true;
    this.#onRead?.();
  }

  get presence(): Presence {
    return this.#reader === null ? this.#away : "reader";
  }

  /**
   * Until when somebody may be at work on messages that were received: Infinity where that is certain, -Infinity where
   * all were dealt with.
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

  /** Whom to tell, from within `resume`, that all was read; null for nobody. */
  whenRead(callback: (() => void) | null): void {
    this.#onRead = callback;
  }

  /**
   * Drops what waits, and what will come.
   * @throws ConcurrencyError while somebody reads
   */
  discard(): void {
    if (this.#beyondLimits === "discard") return;
    this.checkFree("discard()");
    if (this.presence === "reader") throw new ConcurrencyError(READ_WHEN_DISCARDED);
    this.#beyondLimits = "discard";
    this.#away = "nobody";
    this.#queue = NO_MESSAGES;
    this.#head = 0;
    this.#bytes = 0;
    this.#overhead = 0;
    this.#dropped = 0;
    this.#isStretched = false;
    if (this.#isFull) {
      this.#isFull = false;
      this.#events.onInboxBelowLowWater();
    }
    this.#onRead?.();
  }

  /** Nobody reads a full inbox: takes as much as the limits allow in memory. Returns false where it does already. */
  stretch(): boolean {
    if (this.#isStretched || !this.#isFull) return false;
    this.#isStretched = true;
    this.#isFull = this.#isOverLimit();
    return !this.#isFull;
  }

  /** Nobody reads: keeps what waits, and drops what exceeds the limits. */
  dropUnread(): void {
    if (this.#beyondLimits !== "hold") return;
    this.#beyondLimits = "drop-unread";
    this.#isStretched = true;
    this.#isFull = false;
  }

  /** The connection is ending: what was received and held back is taken in, whatever the limits. */
  takeIn(): void {
    if (this.#beyondLimits === "hold") this.#beyondLimits = "take";
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#events.onInboxBelowLowWater();
  }

  /** From here on nothing holds the peer back, so that its Close can be read; what exceeds the limits is dropped. */
  drain(): void {
    if (this.#beyondLimits === "take") this.#beyondLimits = "drop";
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
      this.#takenAt = this.#events.now();
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    if ((this.#isFull || this.#isStretched) && this.#isRoomy()) {
      this.#isFull = false;
      this.#isStretched = this.#beyondLimits === "drop-unread";
      this.#events.onInboxBelowLowWater();
    }
    return message;
  }

  #isToBeDropped(): boolean {
    switch (this.#beyondLimits) {
      case "hold":
      case "take":
        return false;
      case "discard":
        return true;
      case "drop":
        return this.#isOverLimit();
      case "drop-unread":
        // Once one is missing, those behind it are of no use.
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

  #isRoomy(): boolean {
    const { maxQueuedMessages, maxQueuedBytes } = this.#limits;
    return (
      this.length <= maxQueuedMessages / 4 && isBelowLowWater(maxQueuedBytes, this.#bytes, this.#overhead)
    );
  }
}

/**
 * What becomes of messages beyond the limits: the peer is held back, or they are taken all the same, or dropped; or,
 * within the limits as well, all of them are.
 */
type BeyondLimits = "discard" | "drop" | "drop-unread" | "hold" | "take";

const READ_WHEN_DISCARDED =
  "Expected no reader when discard() is called, got an iteration or a recvStream() that has not ended. Leave its loop first.";

const DISCARDED =
  "Expected a connection whose messages are read, got one after discard(), which drops them. Remove discard(), or do not read.";

function describeDropped(count: number): string {
  return `Expected a reader while the inbox was full, got none for seconds, so that ${count} messages were dropped. Read from the start, or call discard() where nothing is to be read.`;
}

/** An empty view has some 200 bytes of its own, and a chunk has room for 32,768 empty messages: they share one. */
const NO_BYTES = new Uint8Array(0);

/** A small slice that waits would keep all of the chunk in memory that it was read in. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return NO_BYTES;
  return bytes.length * 2 < bytes.buffer.byteLength ? bytes.slice() : bytes;
}
