// The bounded queue of the inbox. Beyond its limits, reading pauses, or messages are dropped.

import type { Message } from "./inbox.js";
import { MessageQueue } from "./message-queue.js";

/** Receives the events of the queue, to pause and resume reading. */
export interface UnreadHandler {
  onInboxFull(): void;
  onInboxBelowLowWater(): void;
}

export interface InboxLimits {
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
}

/**
 * The treatment of messages beyond the limits: pause reading (`hold`), accept them all the same (`take`), or drop them.
 * `discard` drops messages within the limits as well.
 */
type BeyondLimits = "discard" | "drop" | "drop-unread" | "hold" | "take";

export class UnreadQueue extends MessageQueue {
  readonly #handler: UnreadHandler;
  readonly #limits: InboxLimits;
  #isFull = false;
  #beyondLimits: BeyondLimits = "hold";
  /** The limits in number and bytes are suspended; only the memory limit applies. */
  #isStretched = false;
  #dropped = 0;

  constructor(handler: UnreadHandler, limits: InboxLimits) {
    super();
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
      this.#handler.onInboxFull();
    }
  }

  /** Reports the room that the newest `shift()` made, if reading waits for it. */
  checkRoom(): void {
    if ((!this.#isFull && !this.#isStretched) || !this.#isLow()) return;
    this.#isFull = false;
    this.#isStretched = this.#beyondLimits === "drop-unread";
    this.#handler.onInboxBelowLowWater();
  }

  /** Drops all queued and future messages. */
  discard(): void {
    this.#beyondLimits = "discard";
    this.clear();
    this.#dropped = 0;
    this.#isStretched = false;
    this.#resume();
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
    this.#resume();
  }

  /** Drops messages beyond the limits instead of pausing, so that the peer's Close can be read. */
  drain(): void {
    if (this.#beyondLimits === "take") this.#beyondLimits = "drop";
  }

  #resume(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#handler.onInboxBelowLowWater();
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
