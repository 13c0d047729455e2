// The answer to the peer's Close. It waits for the consumer, who may have something left to send, and not for ever:
// the peer's patience runs, and a consumer that is busy elsewhere must not hold up the end.

import type { Runtime } from "./runtime.js";
import { Deadline } from "./timer-queue.js";

/** Milliseconds that a consumer has to come as far as `closing`. */
const UNTIL_DELIVERED = 1_000;

export class CloseAnswer extends Deadline {
  readonly #runtime: Runtime;
  readonly #send: () => void;
  readonly #receivedAt: number;
  /** Half of closeTimeout, which bounds it all: the rest is for the way to the peer and back. */
  readonly #patience: number | null;
  #isSettled = false;

  /** @param closeTimeout milliseconds; null for no limit once the consumer has been told */
  constructor(runtime: Runtime, closeTimeout: number | null, send: () => void) {
    super();
    this.#runtime = runtime;
    this.#send = send;
    this.#receivedAt = runtime.clock.now();
    this.#patience = closeTimeout === null ? null : closeTimeout / 2;
    this.#wait(Math.min(UNTIL_DELIVERED, this.#patience ?? Infinity));
  }

  /** The consumer has got as far as `closing`, and may take its time. */
  allowTime(): void {
    if (this.#isSettled) return;
    if (this.#patience === null) this.#runtime.timers.cancel(this);
    else this.#wait(this.#patience);
  }

  /** The consumer has nothing left to send. */
  send(): void {
    if (this.#isSettled) return;
    this.cancel();
    this.#send();
  }

  /** The connection is gone. */
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
