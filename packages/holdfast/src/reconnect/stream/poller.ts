// Timer for `poll` events: the first at once, then one per interval, on a fixed grid that late timers do not shift. Slots
// that a blocked event loop missed are skipped, so that they do not come in a burst.

import { PingGrid } from "../../heartbeat/ping-grid.js";
import type { Runtime } from "../../connection/runtime.js";
import { Deadline } from "../../connection/timer-queue.js";

export class Poller extends Deadline {
  readonly #runtime: Runtime;
  readonly #grid: PingGrid;
  readonly #onPoll: () => void;

  constructor(runtime: Runtime, interval: number, onPoll: () => void) {
    super();
    this.#runtime = runtime;
    this.#grid = new PingGrid(runtime.clock.now(), interval);
    this.#onPoll = onPoll;
  }

  start(): void {
    this.#poll();
  }

  stop(): void {
    this.#runtime.timers.cancel(this);
  }

  onAlarm(now: number): void {
    this.#grid.advance(now);
    this.#poll();
  }

  #poll(): void {
    this.#runtime.timers.set(this, this.#grid.nextAt);
    this.#onPoll();
  }
}
