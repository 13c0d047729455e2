// The answer to the peer's Close. It waits for the consumer, which may have something left to send, but only for a
// limited time: the peer does not wait forever, and a busy consumer must not delay the end.

import type { Runtime } from "./runtime.js";
import { Deadline } from "./timer-queue.js";

/** Milliseconds within which a consumer has to reach the event `closing`. */
const UNTIL_DELIVERED = 1_000;

export class CloseAnswer extends Deadline {
  readonly #runtime: Runtime;
  readonly #send: () => void;
  readonly #receivedAt: number;
  /** Half of closeTimeout, in milliseconds: the rest is for the round trip to the peer. Null for no limit. */
  readonly #timeLimit: number | null;
  #isSettled = false;

  /** @param closeTimeout milliseconds; null for no limit once the consumer has received `closing` */
  constructor(runtime: Runtime, closeTimeout: number | null, send: () => void) {
    super();
    this.#runtime = runtime;
    this.#send = send;
    this.#receivedAt = runtime.clock.now();
    this.#timeLimit = closeTimeout === null ? null : closeTimeout / 2;
    this.#wait(Math.min(UNTIL_DELIVERED, this.#timeLimit ?? Infinity));
  }

  /** The consumer has received `closing`, and may take its time. */
  allowTime(): void {
    if (this.#isSettled) return;
    if (this.#timeLimit === null) this.#runtime.timers.cancel(this);
    else this.#wait(this.#timeLimit);
  }

  /** The consumer has nothing left to send. */
  send(): void {
    if (this.#isSettled) return;
    this.cancel();
    this.#send();
  }

  /** The connection has ended. */
  cancel(): void {
    this.#isSettled = true;
    this.#runtime.timers.cancel(this);
  }

  onAlarm(): void {
    this.send();
  }

  #wait(duration: number): void {
    this.#runtime.timers.set(this, this.#receivedAt + duration);
  }
}
