// Ends a long wait early: when the caller's signal aborts, or when the connection ends.

import { unwatchAbort, watchAbort } from "../shared/abort-watch.js";
import { Deferred } from "../shared/deferred.js";
import { rejectToCaller } from "./caller-stack.js";

/** A wait that can be interrupted. Call `stop()` when it is over. */
export class Interruption {
  readonly #signal: AbortSignal | null;
  /** All waits that end with the same connection. */
  readonly #peers: Set<Interruption> | null;
  #cause: { readonly error: unknown } | null = null;
  #reject: ((error: unknown) => void) | null = null;

  constructor(signal: AbortSignal | null, peers: Set<Interruption> | null = null) {
    this.#signal = signal;
    this.#peers = peers;
    peers?.add(this);
    watchAbort(signal, this.#onAbort);
  }

  /**
   * Settles with `value`, or rejects when the wait is interrupted. One call at a time. `Promise.race` would leave a
   * reaction on the interruption for each piece of an endless message.
   */
  wait<Value>(value: Value | PromiseLike<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      if (this.#cause !== null) reject(this.#cause.error);
      Promise.resolve(value).then(resolve, reject);
    });
  }

  /** @throws the reason once the wait is interrupted */
  check(): void {
    if (this.#cause !== null) throw this.#cause.error;
  }

  /** Rejects at the interruption, and names the caller. A call that nobody awaits must not end the process. */
  waitForever(): Promise<never> {
    const { promise, resolve } = new Deferred<never>();
    this.#reject = (error) => resolve(rejectToCaller(error, promise));
    if (this.#cause !== null) this.#reject(this.#cause.error);
    return promise;
  }

  interrupt(error: unknown): void {
    this.#cause ??= { error };
    this.stop();
    this.#reject?.(error);
    this.#reject = null;
  }

  stop(): void {
    this.#peers?.delete(this);
    unwatchAbort(this.#signal, this.#onAbort);
  }

  readonly #onAbort = (): void => this.interrupt(this.#signal?.reason);
}
