// Pauses reading while an observer holds too many messages. As with the inbox, it goes on after a second within the memory
// limit: the peer's Pings and its Close come after the messages that it has sent.

import type { ConnectionCore } from "../connection-core.js";
import { Deadline } from "../timer-queue.js";
import type { MessageWeight, QueueLimits } from "./message-weight.js";
import { UNTIL_STRETCHED } from "./unread-queue.js";

export class ReadAhead extends Deadline {
  readonly #core: ConnectionCore;
  /** The messages that the observer holds. */
  readonly #weight: MessageWeight;
  readonly #limits: QueueLimits;
  #isFull = false;
  /** Only the memory limit applies. */
  #isStretched = false;

  constructor(core: ConnectionCore, weight: MessageWeight, limits: QueueLimits) {
    super();
    this.#core = core;
    this.#weight = weight;
    this.#limits = limits;
  }

  /** The observer holds one message more. */
  onAdded(): void {
    if (this.#isFull || !this.#isOverLimit()) return;
    this.#isFull = true;
    this.#core.pauseReading();
    const { timers } = this.#core;
    if (!this.#isStretched && !this.#core.hasEnded) timers.set(this, this.#core.now() + UNTIL_STRETCHED);
  }

  /** The observer holds less. */
  onTaken(): void {
    if ((!this.#isFull && !this.#isStretched) || !this.#weight.isLow(this.#limits)) return;
    this.#isFull = false;
    this.#isStretched = this.#core.state !== "open";
    this.stop();
    this.#core.resumeReading();
  }

  /** A second has passed, or the closing handshake begins. */
  onAlarm(): void {
    this.stop();
    this.#isStretched = true;
    if (!this.#isFull || this.#isOverLimit()) return;
    this.#isFull = false;
    this.#core.onInboxStretched();
  }

  /** The connection has ended. */
  stop(): void {
    this.#core.timers.cancel(this);
  }

  #isOverLimit(): boolean {
    return this.#weight.isOverLimits(this.#limits, this.#isStretched);
  }
}
