// The signals that end a stream, minded together.

import { unwatchAbort, watchAbort } from "../shared/abort-watch.js";

export class LoopInterruptions {
  readonly #signals: readonly AbortSignal[];
  readonly #onInterrupted: (reason: unknown) => void;

  constructor(signals: readonly AbortSignal[], onInterrupted: (reason: unknown) => void) {
    this.#signals = signals;
    this.#onInterrupted = onInterrupted;
  }

  /** Tells of an abort from now on, and at once of one before. */
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
    this.#onInterrupted(reason);
  };
}
