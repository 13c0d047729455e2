// The time that the consumer of an observed connection has before the peer's Close is answered. It may have something left
// to send, but the peer does not wait forever, and a busy consumer must not delay the end.

import type { ConnectionCore } from "../connection-core.js";
import { Deadline } from "../timer-queue.js";

/** Milliseconds within which a consumer has to reach the event `closing`. */
const UNTIL_DELIVERED = 1_000;

export class CloseAnswer extends Deadline {
  readonly #core: ConnectionCore;
  readonly #receivedAt: number;
  /** Half of closeTimeout, in milliseconds: the rest is for the round trip to the peer. Infinity for no limit. */
  readonly #timeLimit: number;

  constructor(core: ConnectionCore) {
    super();
    const { closeTimeout } = core.settings;
    this.#core = core;
    this.#receivedAt = core.now();
    this.#timeLimit = closeTimeout === null ? Infinity : closeTimeout / 2;
    this.#wait(Math.min(UNTIL_DELIVERED, this.#timeLimit));
  }

  /** The consumer has received `closing`, and may take its time. */
  allowTime(): void {
    if (this.isSet) this.#wait(this.#timeLimit);
  }

  /** The consumer has nothing left to send. */
  send(): void {
    this.cancel();
    this.#core.answerClose();
  }

  /** The connection has ended. */
  cancel(): void {
    this.#core.timers.cancel(this);
  }

  onAlarm(): void {
    this.#core.answerClose();
  }

  #wait(duration: number): void {
    this.#core.timers.set(this, this.#receivedAt + duration);
  }
}
