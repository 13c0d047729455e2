// What becomes of a full inbox that nobody reads. Reading has stopped, and the peer's Close may lie behind what the
// kernel holds: a handler that only sends must not keep its peers from closing. A slow reader is waited for.

import type { Inbox } from "./inbox.js";
import { Deadline, type TimerQueue } from "./timer-queue.js";

/** Milliseconds that a full inbox waits for a reader before it takes what its memory allows, whatever the number. */
const UNTIL_STRETCHED = 1_000;

/** Milliseconds after which the connection counts as one that nobody will read: what exceeds the limits is dropped. */
const UNTIL_DROPPED = 5_000;

/** What the watch does to its connection. */
export interface UnreadWatchHost {
  readonly timers: TimerQueue;
  readonly inbox: Inbox;
  now(): number;
  /** Reading goes on: there is room, or what comes is dropped. */
  onInboxStretched(): void;
  /** From now on messages are dropped. */
  onDropping(): void;
}

export class UnreadWatch extends Deadline {
  readonly #host: UnreadWatchHost;
  /** Since when nobody has read. */
  #since = 0;

  constructor(host: UnreadWatchHost) {
    super();
    this.#host = host;
  }

  /** The inbox is full. */
  begin(): void {
    if (this.isSet) return;
    this.#since = this.#host.now();
    this.#wait(this.#since + UNTIL_STRETCHED);
  }

  stop(): void {
    this.#host.timers.cancel(this);
  }

  onAlarm(now: number): void {
    const { inbox } = this.#host;
    if (inbox.presence !== "nobody") this.#since = now; // A slow reader gets everything, however long it takes.
    const silence = now - this.#since;
    if (silence >= UNTIL_DROPPED) {
      inbox.dropUnread();
      this.#host.onDropping();
      this.#host.onInboxStretched();
      return;
    }
    this.#wait(now + UNTIL_STRETCHED);
    if (silence >= UNTIL_STRETCHED && inbox.stretch()) this.#host.onInboxStretched();
  }

  #wait(at: number): void {
    this.#host.timers.set(this, at);
  }
}
