// Handles a full inbox without a reader. While reading is paused, the peer's Close may wait unread in the kernel, and a
// handler that only sends must not keep its peers from closing. A slow reader, in contrast, gets all the time it needs.

import type { Inbox } from "./inbox.js";
import { Deadline, type TimerQueue } from "./timer-queue.js";

/** Milliseconds without a reader after which a full inbox accepts messages up to its memory limit, whatever their number. */
const UNTIL_STRETCHED = 1_000;

/** Milliseconds without a reader after which messages beyond the limits are dropped. */
const UNTIL_DROPPED = 5_000;

/** The part of ConnectionCore that the watch uses. */
export interface UnreadWatchHandler {
  readonly timers: TimerQueue;
  readonly inbox: Inbox;
  now(): number;
  /** Reading can continue: the inbox has room, or drops what exceeds its limits. */
  onInboxStretched(): void;
  /** From now on messages are dropped. */
  onDropping(): void;
}

export class UnreadWatch extends Deadline {
  readonly #handler: UnreadWatchHandler;
  /** Monotonic time since which no reader was seen. */
  #since = 0;

  constructor(handler: UnreadWatchHandler) {
    super();
    this.#handler = handler;
  }

  /** The inbox is full. */
  begin(): void {
    if (this.isSet) return;
    this.#since = this.#handler.now();
    this.#handler.timers.set(this, this.#since + UNTIL_STRETCHED);
  }

  stop(): void {
    this.#handler.timers.cancel(this);
  }

  onAlarm(now: number): void {
    const { inbox } = this.#handler;
    if (inbox.presence !== "nobody") this.#since = now; // A slow reader loses nothing.
    const silence = now - this.#since;
    if (silence >= UNTIL_DROPPED) {
      inbox.queue.dropUnread();
      this.#handler.onDropping();
      this.#handler.onInboxStretched();
      return;
    }
    this.#handler.timers.set(this, now + UNTIL_STRETCHED);
    if (silence >= UNTIL_STRETCHED && inbox.queue.stretch()) this.#handler.onInboxStretched();
  }
}
