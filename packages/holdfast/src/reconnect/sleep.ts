// Sleeping on a connection's clock. All sleepers of a process share one timer.

import { unwatchAbort, watchAbort } from "../shared/abort-watch.js";
import type { Connection } from "../connection/connection.js";
import { coreOf } from "../connection/core-of.js";
import { Deadline, type TimerQueue } from "../connection/timer-queue.js";

/**
 * Resolves at the monotonic time `deadline`. Rejects earlier if the connection ends (with ConnectionClosed), or if the
 * signal aborts (with its reason).
 */
export function sleepUntil(
  deadline: number,
  connection: Connection,
  signal: AbortSignal | null,
): Promise<void> {
  const signals = signal === null ? [connection.signal] : [connection.signal, signal];
  return new Promise((resolve, reject) => {
    for (const { aborted, reason } of signals) {
      if (!aborted) continue;
      reject(reason);
      return;
    }
    new Sleeper(coreOf(connection).runtime.timers, signals, resolve, reject).sleep(deadline);
  });
}

class Sleeper extends Deadline {
  readonly #timers: TimerQueue;
  readonly #signals: readonly AbortSignal[];
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    timers: TimerQueue,
    signals: readonly AbortSignal[],
    resolve: () => void,
    reject: (error: unknown) => void,
  ) {
    super();
    this.#timers = timers;
    this.#signals = signals;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  sleep(deadline: number): void {
    for (const signal of this.#signals) watchAbort(signal, this.#onAbort);
    this.#timers.set(this, deadline);
  }

  onAlarm(): void {
    this.#stop();
    this.#resolve();
  }

  readonly #onAbort = (): void => {
    this.#stop();
    this.#reject(this.#signals.find(({ aborted }) => aborted)?.reason);
  };

  /** Removes the listeners and the alarm: one connection may outlive a million sleeps. */
  #stop(): void {
    this.#timers.cancel(this);
    for (const signal of this.#signals) unwatchAbort(signal, this.#onAbort);
  }
}
