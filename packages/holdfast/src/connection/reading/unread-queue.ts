// The bounded queue of the inbox. Beyond its limits, reading pauses, or messages are dropped.
//
// While reading is paused, the peer's Pings and its Close wait unread in the kernel. So a full queue accepts more messages
// after a second, as far as its memory limit allows. A handler that only sends must not keep its peers from closing either:
// without a reader, messages beyond the memory limit are dropped. A slow reader, in contrast, gets all the time it needs
// while the connection is open, and while it closes as long as it makes progress.

import { longestWait } from "../longest-wait.js";
import type { Inbox, InboxHandler, Message } from "./inbox.js";
import { MessageQueue } from "./message-queue.js";
import type { QueueLimits } from "./message-weight.js";
import { Alarm, type AlarmHandler } from "../timer-queue.js";

/** Milliseconds after which a full queue accepts messages up to its memory limit, whatever their number. */
export const UNTIL_STRETCHED = 1_000;

/** Milliseconds without a reader after which messages beyond the limits are dropped. */
const UNTIL_DROPPED = 5_000;

export interface InboxLimits extends QueueLimits {
  readonly closeTimeout: number | null;
}

/**
 * The treatment of messages beyond the limits: pause reading (`hold`), accept them all the same (`take`), or drop them.
 * `discard` drops messages within the limits as well.
 */
type BeyondLimits = "discard" | "drop" | "hold" | "take";

export class UnreadQueue extends MessageQueue implements AlarmHandler {
  readonly #inbox: Inbox;
  readonly #handler: InboxHandler;
  readonly #limits: InboxLimits;
  /** Looks for a reader, since the queue became full. */
  #alarm: Alarm | null = null;
  /** Monotonic time since which no reader was seen or, while the connection closes, no progress. */
  #unreadSince = 0;
  /** A message was taken since the last look. */
  #isTaken = false;
  #isClosing = false;
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
    this.add(typeof message === "string" || message.length === 0 ? message : ownBytes(message));
    if (!this.#isFull && this.#beyondLimits === "hold" && this.#isOverLimit()) {
      this.#isFull = true;
      this.#handler.pauseReading();
      if (this.#alarm?.isSet !== true) this.#watch();
    }
  }

  /** Reports the room that the newest `shift()` made, if reading waits for it. */
  checkRoom(): void {
    this.#isTaken = true;
    if ((!this.#isFull && !this.#isStretched) || !this.isLow(this.#limits)) return;
    this.#isFull = false;
    this.#isStretched = this.#isClosing || this.#beyondLimits === "drop";
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

  /** The closing handshake begins: the peer's Close comes after the messages that it has sent. */
  beginClosing(): void {
    this.#isClosing = true;
    this.#stretch();
    if (this.#isFull || this.#alarm?.isSet === true) this.#watch();
  }

  /** The connection has ended, and the transport delivers what it held back: accepts it, whatever the limits. */
  acceptBeyondLimits(): void {
    if (this.#beyondLimits === "hold") this.#beyondLimits = "take";
    this.#isFull = false;
    this.stopWatching();
  }

  onAlarm(now: number): void {
    const isRead = this.#inbox.isAwaited;
    if (this.#isTaken || (!this.#isClosing && (isRead || this.#handler.keepsUnread === true)))
      this.#unreadSince = now; // A slow reader loses nothing.
    this.#isTaken = false;
    this.#stretch();
    if (now - this.#unreadSince < this.#patience(isRead)) {
      this.#lookAgain(now);
      return;
    }
    this.#beyondLimits = "drop";
    this.#isFull = false;
    if (!this.#isClosing) this.#handler.onDropping();
    this.#handler.onInboxStretched();
  }

  /** No more messages will arrive, or none will be dropped for want of a reader. */
  stopWatching(): void {
    if (this.#alarm !== null) this.#handler.timers.cancel(this.#alarm);
  }

  #watch(): void {
    this.#isTaken = false;
    this.#unreadSince = this.#handler.now();
    this.#lookAgain(this.#unreadSince);
  }

  #lookAgain(now: number): void {
    const wait = this.#isClosing ? this.#patience(false) : UNTIL_STRETCHED;
    this.#handler.timers.set((this.#alarm ??= new Alarm(this)), now + wait);
  }

  /** Milliseconds without a reader, or without progress, after which messages are dropped. */
  #patience(isRead: boolean): number {
    if (!this.#isClosing) return UNTIL_DROPPED;
    const longest = longestWait(this.#limits);
    return isRead ? longest : Math.min(UNTIL_STRETCHED, longest);
  }

  /** Suspends all limits but that of memory. */
  #stretch(): void {
    if (this.#isStretched) return;
    this.#isStretched = true;
    if (!this.#isFull || this.#isOverLimit()) return;
    this.#isFull = false;
    this.#handler.onInboxStretched();
  }

  #mustDrop(): boolean {
    if (this.#beyondLimits === "discard") return true;
    // After a gap, later messages are of no use.
    if (this.#beyondLimits !== "drop" || (this.#dropped === 0 && !this.#isOverLimit())) return false;
    this.#dropped++;
    return true;
  }

  #isOverLimit(): boolean {
    return this.isOverLimits(this.#limits, this.#isStretched);
  }
}

/** Copies small views: a queued view would keep its whole chunk in memory. */
export function ownBytes(bytes: Exclude<Message, string>): Exclude<Message, string> {
  return bytes.length * 2 <= bytes.buffer.byteLength ? bytes.slice() : bytes;
}
