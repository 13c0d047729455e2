// Calls that wait until the core of a persistent connection is there.

import { noMessageError } from "../../connection/errors.js";
import type { WaitOptions } from "../../connection/reading/readers.js";
import type { Runtime } from "../../connection/runtime.js";
import { Alarm } from "../../connection/timer-queue.js";
import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import { Deferred, ignore } from "../../shared/deferred.js";
import type { PersistentControls } from "./persistent-controls.js";

interface HeldCall {
  readonly isReading: boolean;
  run(core: PersistentControls): void;
  end(): void;
}

export class HeldCalls {
  readonly #calls = new Set<HeldCall>();
  /** Null before `run`. */
  #core: PersistentControls | null = null;
  #hasEnded = false;

  /** The core, once it is there. */
  get core(): PersistentControls | null {
    return this.#core;
  }

  /** Whether a reader waits. */
  get isReading(): boolean {
    return [...this.#calls].some(({ isReading }) => isReading);
  }

  add(run: (core: PersistentControls) => void): void {
    this.#calls.add({ isReading: false, run, end: ignore });
  }

  /**
   * Calls `read` once the core is there, or `atEnd` if the persistent connection ends before.
   * @throws the signal's reason if it has already aborted
   */
  read<Result>(
    read: (core: PersistentControls) => Promise<Result>,
    atEnd: () => Promise<Result>,
    signal: AbortSignal | null = null,
  ): Promise<Result> {
    if (this.#core !== null) return read(this.#core);
    signal?.throwIfAborted();
    if (this.#hasEnded) return atEnd();
    const result = new Deferred<Result>();
    const onAbort = (): void => give(Promise.reject(signal?.reason));
    const give = (outcome: Promise<Result>): void => {
      this.#calls.delete(call);
      unwatchAbort(signal, onAbort);
      result.resolve(outcome);
    };
    const call: HeldCall = {
      isReading: true,
      run: (core) => {
        try {
          give(read(core));
        } catch (error) {
          give(Promise.reject(error)); // For instance, another reader waits.
        }
      },
      end: () => give(atEnd()),
    };
    this.#calls.add(call);
    watchAbort(signal, onAbort);
    return result.promise;
  }

  /** The core is there. */
  run(core: PersistentControls): void {
    this.#core = core;
    for (const call of this.#calls) call.run(core);
    this.#calls.clear();
  }

  /** The persistent connection has ended before. */
  end(): void {
    this.#hasEnded = true;
    for (const call of this.#calls) call.end();
    this.#calls.clear();
  }
}

/** Calls `wait` with a signal that aborts for both limits: they hold for the time before the core and after it together. */
export async function withinLimits<Result>(
  { signal, timeout }: WaitOptions,
  { clock, timers }: Runtime,
  wait: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted();
  const limit = new AbortController();
  const onAbort = (): void => limit.abort(signal?.reason);
  const alarm = new Alarm({ onAlarm: () => limit.abort(noMessageError(timeout ?? 0)) });
  watchAbort(signal, onAbort);
  if (timeout !== null) timers.set(alarm, clock.now() + timeout);
  try {
    return await wait(limit.signal);
  } finally {
    unwatchAbort(signal, onAbort);
    timers.cancel(alarm);
  }
}
