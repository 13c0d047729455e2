// The bounded queue of the inbox. Beyond its limits, reading pauses, or messages are dropped.
//
// While reading is paused, the peer's Close may wait unread in the kernel, and a handler that only sends must not keep its
// peers from closing. So a full queue without a reader accepts more messages after a while, and then drops them. A slow
// reader, in contrast, gets all the time it needs.

import type { Inbox, InboxHandler, Message } from "./inbox.js";
import { MessageQueue } from "./message-queue.js";
import { Alarm, type AlarmHandler } from "../timer-queue.js";

/** Milliseconds without a reader after which a full queue accepts messages up to its memory limit, whatever their number. */
const UNTIL_STRETCHED = 1_000;

/** Milliseconds without a reader after which messages beyond the limits are dropped. */
const UNTIL_DROPPED = 5_000;

export interface InboxLimits {
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
}

/**
 * The treatment of messages beyond the limits: pause reading (`hold`), accept them all the same (`take`), or drop them.
 * `discard` drops messages within the limits as well.
 */
type BeyondLimits = "discard" | "drop" | "drop-unread" | "hold" | "take";

export class UnreadQueue extends MessageQueue implements AlarmHandler {
  readonly #inbox: Inbox;
  readonly #handler: InboxHandler;
  readonly #limits: InboxLimits;
  /** Looks for a reader, since the queue became full. */
  #alarm: Alarm | null = null;
  /** Monotonic time since which no reader was seen. */
  #unreadSince = 0;
  #isFull = false;
  #beyondLimits: BeyondLimits = "hold";
  /** The limits in number and bytes are suspended; only the memory limit applies. */
  #isStretched = false;
  #dropped = 0;

  constructor(inbox: Inbox, handler: InboxHandler, limits: InboxLimits) {
    super();
    this.#inbox = inbox;
    this.#handler = handler;
    this.#limits = limits;
  }

  /** The number of messages dropped because nobody read. */
  get dropped(): number {
    return this.#dropped;
  }

  get isDiscarding(): boolean {
    return this.#beyondLimits === "discard";
  }

  /** Accepts a message from the peer. */
  push(message: Message): void {
    if (this.#beyondLimits !== "hold" && this.#mustDrop()) return;
    this.add(typeof message === "string" ? message : ownBytes(message));
    if (!this.#isFull && this.#beyondLimits === "hold" && this.#isOverLimit()) {
      this.#isFull = true;
      this.#handler.pauseReading();
      this.#watch();
    }
  }

  /** Reports the room that the newest `shift()` made, if reading waits for it. */
  checkRoom(): void {
    if ((!this.#isFull && !this.#isStretched) || !this.#isLow()) return;
    this.#isFull = false;
    this.#isStretched = this.#beyondLimits === "drop-unread";
    this.stopWatching();
    this.#handler.resumeReading();
  }

  /** Drops all queued and future messages. */
  discard(): void {
    this.#beyondLimits = "discard";
    this.clear();
    this.#dropped = 0;
    this.#isStretched = false;
    this.#isFull = false;
    this.stopWatching();
    this.#handler.resumeReading(); // Does nothing unless messages of the queue paused it.
  }

  /** The connection is ending, and reading resumes: accepts the messages that the transport held back, whatever the limits. */
  acceptBeyondLimits(): void {
    if (this.#beyondLimits === "hold") this.#beyondLimits = "take";
    this.#isFull = false;
    this.stopWatching();
  }

  /** Drops messages beyond the limits instead of pausing, so that the peer's Close can be read. */
  drain(): void {
    if (this.#beyondLimits === "take") this.#beyondLimits = "drop";
  }

  onAlarm(now: number): void {
    if (this.#inbox.presence !== "nobody") this.#unreadSince = now; // A slow reader loses nothing.
    const silence = now - this.#unreadSince;
    if (silence < UNTIL_DROPPED) {
      this.#lookAgain(now);
      if (silence >= UNTIL_STRETCHED) this.#stretch();
      return;
    }
    this.#beyondLimits = "drop-unread";
    this.#isStretched = true;
    this.#isFull = false;
    this.#handler.onDropping();
    this.#handler.onInboxStretched();
  }

  /** No more messages will arrive, or none will be dropped for want of a reader. */
  stopWatching(): void {
    if (this.#alarm !== null) this.#handler.timers.cancel(this.#alarm);
  }

  #watch(): void {
    if (this.#alarm?.isSet === true) return;
    this.#unreadSince = this.#handler.now();
    this.#lookAgain(this.#unreadSince);
  }

  #lookAgain(now: number): void {
    this.#handler.timers.set((this.#alarm ??= new Alarm(this)), now + UNTIL_STRETCHED);
  }

  /** Suspends all limits but that of memory. */
  #stretch(): void {
    if (this.#isStretched || !this.#isFull) return;
    this.#isStretched = true;
    this.#isFull = this.#isOverLimit();
    if (!this.#isFull) this.#handler.onInboxStretched();
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
    if (this.#isStretched) return this.isOverMemory(maxQueuedBytes);
    return this.length > maxQueuedMessages || this.isOver(maxQueuedBytes);
  }

  #isLow(): boolean {
    const { maxQueuedMessages, maxQueuedBytes } = this.#limits;
    return this.length <= maxQueuedMessages / 4 && this.isBelowLowWater(maxQueuedBytes);
  }
}

/** Shared by all empty messages: a view takes some 200 bytes, and a chunk may hold 32,768 empty messages. */
const NO_BYTES = new Uint8Array(0);

/** Copies small views: a queued view would keep its whole chunk in memory. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return NO_BYTES;
  return bytes.length * 2 < bytes.buffer.byteLength ? bytes.slice() : bytes;
}
