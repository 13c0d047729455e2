// Watches the suspicions of adaptive detection against the current connection, and starts a race for its session: after a
// random delay, since one cause may make a whole fleet suspicious, and not too often.

import type { Connection } from "../../connection/connection.js";
import { coreOf } from "../../connection/core-of.js";
import type { Runtime } from "../../connection/runtime.js";
import { Deadline } from "../../connection/timer-queue.js";
import type { Suspicion } from "../../heartbeat/adaptive-detection.js";
import type { RaceObserver } from "../race.js";
import { randomFraction } from "../retry/backoff.js";

export interface SuspicionHandler {
  /** Whether there is a session that another socket could resume. */
  readonly canRace: boolean;
  /** How widely the server spreads its clients, in milliseconds; null if it has not set that. */
  readonly spread: number | null;
  /** The connection is suspected; null: no longer. */
  onSuspicion(suspicion: Suspicion | null): void;
  race(observer: RaceObserver): void;
  cancelRace(): void;
}

/** Milliseconds over which races are spread, unless the server has set a width; and the limit of that. */
const SPREAD = 500;
const MAX_SPREAD = 5_000;

/** Milliseconds from one race to the next. They double, up to the limit, unless there was no race for ten minutes. */
const PAUSE = 5_000;
const MAX_PAUSE = 300_000;
const FORGET_AFTER = 600_000;

export class SuspicionWatch extends Deadline implements RaceObserver {
  readonly #runtime: Runtime;
  readonly #handler: SuspicionHandler;
  #connection: Connection | null = null;
  #unsubscribe: readonly (() => void)[] = [];
  /** When the current suspicion arose; null for none. */
  #since: number | null = null;
  #racedAt = -Infinity;
  #pause = PAUSE;
  #mayRaceAt = -Infinity;

  constructor(runtime: Runtime, handler: SuspicionHandler) {
    super();
    this.#runtime = runtime;
    this.#handler = handler;
  }

  watch(connection: Connection): void {
    const trust = (): void => this.#trust();
    this.#connection = connection;
    this.#unsubscribe = [
      connection.on("suspect", (suspicion) => this.#suspect(suspicion)),
      connection.on("pong", trust),
      connection.on("suspended", trust), // Our own process was at fault.
    ];
  }

  /** The connection has ended, or is being replaced. */
  unwatch(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#unsubscribe = [];
    this.#connection = null;
    this.#since = null;
    this.#runtime.timers.cancel(this);
  }

  onAlarm(now: number): void {
    if (!this.mayTakeOver() || !this.#handler.canRace) return;
    if (now - this.#racedAt > FORGET_AFTER) this.#pause = PAUSE;
    this.#racedAt = now;
    this.#mayRaceAt = now + this.#pause;
    this.#pause = Math.min(2 * this.#pause, MAX_PAUSE);
    this.#handler.race(this);
  }

  // RaceObserver

  mayTakeOver(): boolean {
    const connection = this.#connection;
    if (connection === null || this.#since === null) return false;
    return connection.state === "open" && coreOf(connection).lastReceivedAt <= this.#since;
  }

  onRaceOver(): void {
    // The pause between races holds, whichever socket has won.
  }

  #suspect(suspicion: Suspicion): void {
    const now = this.#runtime.clock.now();
    this.#since = now;
    this.#handler.onSuspicion(suspicion);
    if (!this.#handler.canRace || now < this.#mayRaceAt) return;
    const width = Math.min(this.#handler.spread ?? SPREAD, MAX_SPREAD);
    this.#runtime.timers.set(this, now + width * randomFraction(this.#runtime.random));
  }

  #trust(): void {
    if (this.#since === null) return;
    this.#since = null;
    this.#runtime.timers.cancel(this);
    this.#handler.cancelRace();
    this.#handler.onSuspicion(null);
  }
}
