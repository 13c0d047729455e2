// The abort signals that end a loop. Any of them ends it.

import { unwatchAbort, watchAbort } from "../shared/abort-watch.js";

export class StopSignals {
  readonly #signals: readonly AbortSignal[];
  readonly #report: (reason: unknown) => void;

  constructor(signals: readonly (AbortSignal | null)[], onAbort: (reason: unknown) => void) {
    this.#signals = signals.filter((signal) => signal !== null);
    this.#report = onAbort;
  }

  /** Reports the next abort; at once if a signal has already aborted. */
  watch(): void {
    for (const signal of this.#signals) watchAbort(signal, this.#onAbort);
    if (this.#signals.some((signal) => signal.aborted)) this.#onAbort();
  }

  stop(): void {
    for (const signal of this.#signals) unwatchAbort(signal, this.#onAbort);
  }

  readonly #onAbort = (): void => {
    const reason: unknown = this.#signals.find((signal) => signal.aborted)?.reason;
    this.stop();
    this.#report(reason);
  };
}
