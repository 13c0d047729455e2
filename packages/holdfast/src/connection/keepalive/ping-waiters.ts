// The promises of `ping()`, until their pong arrives, the caller stops waiting, or the connection ends.

import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import { Deferred, quietly } from "../../shared/deferred.js";
import { rejectToCaller } from "../caller-stack.js";
import { TooSlowError } from "../errors.js";

interface PingWaiter {
  readonly timeout: number | null;
  readonly answer: Deferred<number>;
  readonly stopWatching: () => void;
}

export class PingWaiters {
  /** By the payload of the ping. */
  readonly #waiters = new Map<string, PingWaiter>();

  get size(): number {
    return this.#waiters.size;
  }

  has(key: string): boolean {
    return this.#waiters.has(key);
  }

  /** @param onAbort withdraws the ping, because the signal has aborted */
  add(key: string, timeout: number | null, signal: AbortSignal | null, onAbort: () => void): Promise<number> {
    const answer = new Deferred<number>();
    const abort = (): void => {
      if (this.#take(key) === undefined) return;
      onAbort();
      void quietly(answer.promise);
      answer.reject(signal?.reason);
    };
    watchAbort(signal, abort);
    this.#waiters.set(key, { timeout, answer, stopWatching: () => unwatchAbort(signal, abort) });
    return answer.promise;
  }

  /** The pong arrived. */
  resolve(key: string, roundTrip: number): void {
    this.#take(key)?.answer.resolve(roundTrip);
  }

  /** No pong arrived in time. */
  expire(key: string): void {
    const waiter = this.#take(key);
    if (typeof waiter?.timeout !== "number") return;
    const { answer, timeout } = waiter;
    const message = `Expected the pong of a ping within ${timeout} ms, got none. The connection is still open.`;
    answer.resolve(rejectToCaller(new TooSlowError(message, timeout), answer.promise));
  }

  reject(key: string, error: unknown): void {
    const waiter = this.#take(key);
    waiter?.answer.resolve(rejectToCaller(error, waiter.answer.promise));
  }

  /** The connection has ended. */
  end(closedError: () => Error): void {
    for (const key of [...this.#waiters.keys()]) this.reject(key, closedError());
  }

  #take(key: string): PingWaiter | undefined {
    const waiter = this.#waiters.get(key);
    this.#waiters.delete(key);
    waiter?.stopWatching();
    return waiter;
  }
}
