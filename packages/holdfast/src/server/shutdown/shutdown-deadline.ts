// How long a server waits for its end.

import type { Clock } from "../../connection/ports.js";

export class ShutdownDeadline {
  /** Resolves when the time is over, or the signal aborts; never where there is neither. */
  readonly over: Promise<void>;
  readonly #signal: AbortSignal | null;
  readonly #cancel: (() => void) | null;
  #resolve: () => void = () => undefined;

  constructor(clock: Clock, timeout: number | null, signal: AbortSignal | null) {
    this.over = new Promise((resolve) => (this.#resolve = resolve));
    this.#signal = signal;
    this.#cancel = timeout === null ? null : clock.setTimer(timeout, this.#resolve);
    signal?.addEventListener("abort", this.#resolve);
    if (signal?.aborted === true) this.#resolve();
  }

  stop(): void {
    this.#cancel?.();
    this.#signal?.removeEventListener("abort", this.#resolve);
  }
}
