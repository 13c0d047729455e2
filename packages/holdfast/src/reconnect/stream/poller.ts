// `poll` events: the first at once, then one each interval, on a grid that neither traffic nor lateness shifts.

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
    this.#plan(this.#startedAt);
    this.#onPoll();
  }

  stop(): void {
    this.#runtime.timers.cancel(this);
  }

  onAlarm(now: number): void {
    this.#plan(now);
    this.#onPoll();
  }

  /** Slots that a blocked loop missed are skipped: they would come in a burst. */
  #plan(now: number): void {
    const next = Math.floor((now - this.#startedAt) / this.#interval) + 1;
    this.#runtime.timers.set(this, this.#startedAt + next * this.#interval);
  }
}
