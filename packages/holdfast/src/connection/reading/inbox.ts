// Passes received messages to the reader that waits for them, or else into a bounded queue. One reader at a time.

import { InvalidStateError } from "../../shared/errors.js";
import { ConcurrencyError, secondReaderError } from "../errors.js";
import type { Runtime } from "../runtime.js";
import type { TimerQueue } from "../timer-queue.js";
import { UnreadQueue, type InboxLimits } from "./unread-queue.js";

/** Milliseconds within which an active reader is expected to read the next message. */
const READER_GRACE = 1_000;

/**
 * A received message: a string for a text message, bytes for a binary one. From TypeScript 5.7 on, the bytes are a
 * `Uint8Array<ArrayBuffer>`, which Web APIs accept (`new Blob([message])`).
 */
export type Message = string | ReturnType<typeof Uint8Array.of>;

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
 * `stream` is one for the pieces of one message; a `caller` took a message with `recv()` and may call it again; `nobody`
 * reads.
 */
export type Presence = "caller" | "nobody" | "reader" | "stream";

/** Pauses and resumes reading. */
export interface InboxHandler {
  readonly timers: TimerQueue;
  /** Monotonic time of the last read. */
  readonly lastReceivedAt: number;
  now(): number;
  /** The inbox is full. */
  pauseReading(): void;
  /** The inbox is below its low-water mark. */
  resumeReading(): void;
  /** Messages wait that nobody takes. Reading can continue all the same: there is memory, or messages are dropped. */
  onInboxStretched(): void;
  /** Nobody reads. From now on messages are dropped. */
  onDropping(): void;
  /** Nothing is dropped before the closing: a reader may still begin. @default false */
  readonly keepsUnread?: boolean;
  /** The reader has finished with messages that it took. Not called for one that a callback handles as it arrives. */
  onProgress?(): void;
}

/** The amount of unread messages. */
export interface Unread {
  /** The number of messages. */
  readonly length: number;
  /** Their bytes; a string counts its characters. */
  readonly bytes: number;
  /** The messages that were dropped because nobody read. @default 0 */
  readonly dropped?: number;
}

export const NOTHING_UNREAD: Unread = { length: 0, bytes: 0 };

export class Inbox implements Unread {
  readonly #handler: InboxHandler;
  readonly #limits: InboxLimits;
  /** Null before any message had to wait. */
  #queue: UnreadQueue | null = null;
  #reader: Reader | null = null;
  #isReaderReady = false;
  #hasEnded = false;
  /** The kind of reader that took the newest message, while none is attached. */
  #lastReader: Presence = "nobody";
  /** The application waits for the end of the connection and has not read since. */
  #isEndExpected = false;
  /**
   * Monotonic time at which the last message of a queue was taken, long ago for never. In whole milliseconds: V8
   * allocates an object for a fraction.
   */
  #takenAt = -READER_GRACE;
  #onRead: (() => void) | null = null;
  /** Iterations and streams that exist and have not begun, or wait for their own consumer. */
  #users = 0;

  constructor(handler: InboxHandler, limits: InboxLimits) {
    this.#handler = handler;
    this.#limits = limits;
  }

  /** The number of unread messages. */
  get length(): number {
    return this.#queue?.length ?? 0;
  }

  /** The bytes of the unread messages; a string counts its characters. */
  get bytes(): number {
    return this.#queue?.bytes ?? 0;
  }

  get dropped(): number {
    return this.#queue?.dropped ?? 0;
  }

  /** The messages that wait. */
  get queue(): UnreadQueue {
    return (this.#queue ??= new UnreadQueue(this, this.#handler, this.#limits));
  }

  /** A copy of the unread messages, the oldest first. */
  peek(): Message[] {
    return this.#queue?.toArray() ?? [];
  }

  /** Takes the unread messages away from their readers, the oldest first: another process will handle them. */
  takeAll(): Message[] {
    const unread = this.peek();
    while (this.length > 0) this.#shift();
    return unread;
  }

  /**
   * The number of messages, at most one, that the reader took and has not finished with: the callback has not settled, or
   * the next message was not requested.
   */
  get inProgress(): 0 | 1 {
    if (this.#queue?.isDiscarding === true || this.#isReaderReady) return 0;
    return this.presence === "nobody" ? 0 : 1;
  }

  /** Accepts a message from the peer. */
  push(message: Message): void {
    if (this.#isReaderReady && this.length === 0 && this.#reader !== null) {
      this.#isReaderReady = false;
      if (this.#reader.take(message)) this.#isReaderReady = this.hasReader;
      return;
    }
    this.queue.push(message);
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
    if (this.#queue?.isDiscarding === true) throw new InvalidStateError(DISCARDED);
    if (this.#reader !== null) throw secondReaderError(what);
  }

  /** The attached reader; null for none. */
  get reader(): Reader | null {
    return this.#reader;
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
    while (this.#reader === reader) {
      const message = this.#shift();
      if (message === undefined) break;
      if (reader.take(message)) continue;
      this.#handler.onProgress?.();
      return;
    }
    if (this.#reader !== reader) return;
    if (this.dropped > 0) {
      this.detach(reader);
      reader.fail(new InvalidStateError(describeDropped(this.dropped)));
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
    const message = this.#shift();
    this.#handler.onProgress?.();
    return message;
  }

  /** A reader took a message, and stays detached until it requests the next one. */
  noteReader(by: Presence, at = this.#handler.lastReceivedAt): void {
    this.#lastReader = by;
    this.#takenAt = Math.max(this.#takenAt, Math.ceil(at));
  }

  /** The application awaits the end of the connection, so it reads no more messages. */
  expectEnd(): void {
    if (this.isBeingRead) return;
    this.#lastReader = "nobody";
    this.#isEndExpected = true;
    this.#onRead?.();
  }

  /** An iteration or a stream was made: it will read, even if it has not begun. */
  addUser(): void {
    this.#users++;
  }

  removeUser(): void {
    this.#users--;
  }

  /** Whether somebody reads, or is about to. */
  get isAwaited(): boolean {
    return this.#users > 0 || this.presence !== "nobody";
  }

  get presence(): Presence {
    return this.#reader === null ? this.#lastReader : "reader";
  }

  /** Whether an iteration or a stream has not ended. */
  get isBeingRead(): boolean {
    return this.presence === "reader" || this.presence === "stream";
  }

  /** Whether the next call of the application may be `recvStream()`: no reader waits for a whole message. */
  get mayBeStreamed(): boolean {
    return this.presence !== "reader" && !this.#isEndExpected && this.#queue?.isDiscarding !== true;
  }

  /**
   * The monotonic time until which a reader may still handle received messages: Infinity while one certainly does,
   * -Infinity if all messages have been handled.
   */
  busyUntil(now: number, openedAt: number): number {
    if (this.#queue?.isDiscarding === true || this.#isReaderReady) return -Infinity;
    switch (this.presence) {
      case "reader":
      case "stream":
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
    if (this.#queue?.isDiscarding === true) return;
    this.checkFree("discard()");
    if (this.isBeingRead) throw new ConcurrencyError(READ_WHEN_DISCARDED);
    this.#lastReader = "nobody";
    this.queue.discard();
    this.#onRead?.();
  }

  /** No more messages will arrive; queued ones can still be read. */
  end(): void {
    this.#hasEnded = true;
    this.#queue?.stopWatching();
    if (this.#isReaderReady) this.#endReader();
  }

  #endReader(): void {
    const reader = this.#reader;
    this.#reader = null;
    this.#isReaderReady = false;
    reader?.end();
  }

  #shift(): Message | undefined {
    const queue = this.#queue;
    const message = queue?.shift();
    if (queue === null || message === undefined) return undefined;
    if (queue.length === 0) this.#takenAt = Math.ceil(this.#handler.now());
    queue.checkRoom();
    return message;
  }
}

const READ_WHEN_DISCARDED =
  "Expected no reader when discard() is called, got an iteration or a recvStream() that has not ended. Leave its loop first.";

const DISCARDED =
  "Expected a connection whose messages are read, got one after discard(), which drops them. Remove discard(), or do not read.";

function describeDropped(count: number): string {
  return `Expected a reader while the inbox was full, got none, so that ${count} messages were dropped. Read from the start, or call discard() where nothing is to be read.`;
}

/** The part of ConnectionCore that readers use. */
export interface ReadableConnection {
  readonly inbox: Inbox;
  readonly runtime: Runtime;
  readonly timers: TimerQueue;
  now(): number;
  /** The error that reports how the connection ended. Called only after the end. */
  closedError(): Error;
  /** Whether the connection ended cleanly, so that an iteration ends without an error. Read only after the end. */
  readonly hasEndedWell: boolean;
}
