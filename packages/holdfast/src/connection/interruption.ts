// What cuts a long wait short: the caller's signal, or the end of the connection.

import type { CloseInfo } from "./close-info.js";

export class Interruption {
  /** Rejects with the reason of the signal, or with the error that tells of the end. */
  readonly promise: Promise<never>;
  readonly #signal: AbortSignal | null;
  #reject: (error: unknown) => void = ignore;

  constructor(signal: AbortSignal | null, closed: Promise<CloseInfo>, closedError: () => Error) {
    this.#signal = signal;
    this.promise = new Promise<never>((_, reject) => (this.#reject = reject));
    this.promise.catch(ignore); // Often nobody waits when it happens, and that must not end the process.
    signal?.addEventListener("abort", this.#onAbort);
    void closed.then(() => {
      this.stop();
      this.#reject(closedError());
    });
  }

  /** It is no longer of interest. */
  stop(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = (): void => this.#reject(this.#signal?.reason);
}

function ignore(): void {
  // Nothing to do.
}
