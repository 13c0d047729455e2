// Has the store forget the sessions that have expired, those of killed processes among them. The store judges them by the
// time of day. If that was set forward, or this process could not run, sessions that this process holds may look
// expired: it first renews them, and leaves out one sweep, so that other processes renew theirs as well.

import type { Runtime } from "../../connection/runtime.js";
import { Deadline } from "../../connection/timer-queue.js";
import type { StoreCalls } from "./store-calls.js";

/** Milliseconds between two sweeps of this process. */
const INTERVAL = 60_000;

/** Milliseconds by which the time of day may be ahead without consequences. */
const TOLERANCE = 1_000;

export class StoreSweeper extends Deadline {
  readonly #store: StoreCalls;
  readonly #runtime: Runtime;
  readonly #renewHeld: () => void;
  readonly #onFailure: (error: unknown) => void;
  #dueAt = 0;
  /** From monotonic time to the time of day. */
  #offset: number;
  #hasRenewed = false;
  #hasStopped = false;

  constructor(
    store: StoreCalls,
    runtime: Runtime,
    renewHeld: () => void,
    onFailure: (error: unknown) => void,
  ) {
    super();
    this.#store = store;
    this.#runtime = runtime;
    this.#renewHeld = renewHeld;
    this.#onFailure = onFailure;
    this.#offset = runtime.clock.wallNow() - runtime.clock.now();
  }

  /** The server has a session: sweeps from now on. */
  begin(): void {
    if (this.isSet || this.#hasStopped) return;
    this.#dueAt = this.#runtime.clock.now() + INTERVAL;
    this.#runtime.timers.set(this, this.#dueAt);
  }

  stop(): void {
    this.#hasStopped = true;
    this.#runtime.timers.cancel(this);
  }

  onAlarm(now: number): void {
    const wallNow = this.#runtime.clock.wallNow();
    const ahead = wallNow - this.#offset - this.#dueAt;
    this.#offset = wallNow - now;
    // Never twice in a row: a process that is always late must sweep too.
    this.#hasRenewed = ahead > TOLERANCE && !this.#hasRenewed;
    if (this.#hasRenewed) {
      this.#renewHeld();
      this.begin();
      return;
    }
    void this.#store
      .sweep()
      .catch(this.#onFailure)
      .finally(() => this.begin());
  }
}
