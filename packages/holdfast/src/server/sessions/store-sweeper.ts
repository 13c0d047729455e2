// Has the store forget the sessions that have expired, those of killed processes among them.

import type { Runtime } from "../../connection/runtime.js";
import { Deadline } from "../../connection/timer-queue.js";
import type { StoreCalls } from "./store-calls.js";

/** Milliseconds between two sweeps of this process. */
const INTERVAL = 60_000;

export class StoreSweeper extends Deadline {
  readonly #store: StoreCalls;
  readonly #runtime: Runtime;
  readonly #onFailure: (error: unknown) => void;
  #hasStopped = false;

  constructor(store: StoreCalls, runtime: Runtime, onFailure: (error: unknown) => void) {
    super();
    this.#store = store;
    this.#runtime = runtime;
    this.#onFailure = onFailure;
  }

  /** The server has a session: sweeps from now on. */
  begin(): void {
    if (!this.isSet && !this.#hasStopped)
      this.#runtime.timers.set(this, this.#runtime.clock.now() + INTERVAL);
  }

  stop(): void {
    this.#hasStopped = true;
    this.#runtime.timers.cancel(this);
  }

  onAlarm(): void {
    void this.#store
      .sweep()
      .catch(this.#onFailure)
      .finally(() => this.begin());
  }
}
