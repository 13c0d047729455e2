// Timer for `poll` events: the first at once, then one per interval, on a fixed grid that late timers do not shift.

import type { Runtime } from "../../connection/runtime.js";
import { Deadline } from "../../connection/timer-queue.js";

export class Poller extends Deadline {
  readonly #runtime: Runtime;
  readonly #interval: number;
  readonly #onPoll: () => void;
  #startedAt = 0;

  constructor(runtime: Runtime, interval: number, onPoll: () => void) {
    super();
    this.#runtime = runtime;
    this.#interval = interval;
    this.#onPoll = onPoll;
  }

  start(): void {
    this.#startedAt = this.#runtime.clock.now();
    this.#schedule(this.#startedAt);
    this.#onPoll();
  }

  stop(): void {
    this.#runtime.timers.cancel(this);
  }

  onAlarm(now: number): void {
    this.#schedule(now);
    this.#onPoll();
  }

  /** Skips slots that a blocked event loop missed, so that they do not come in a burst. */
  #schedule(now: number): void {
    const next = Math.floor((now - this.#startedAt) / this.#interval) + 1;
    this.#runtime.timers.set(this, this.#startedAt + next * this.#interval);
  }
}
