// Counts the bytes passed to the worker that it has not sent yet: senders wait while they exceed the limit.

import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import { quietly } from "../../shared/deferred.js";
import type { Mailbox } from "./mailbox.js";
import type { WorkerEvent, WorkerCommand } from "./signals.js";
import { SENT } from "../../connection/sent.js";

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  readonly stopWatching: () => void;
}

export class SendCredit {
  readonly #mailbox: Mailbox<WorkerCommand, WorkerEvent>;
  readonly #limit: number;
  #bytes = 0;
  #lastId = 0;
  readonly #waiters = new Set<Waiter>();

  constructor(mailbox: Mailbox<WorkerCommand, WorkerEvent>, limit: number) {
    this.#mailbox = mailbox;
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  nextId(): number {
    return ++this.#lastId;
  }

  /**
   * Resolves when more may be sent. An abort cancels a message that has not been sent; `id` is null for one
   * that cannot be cancelled.
   */
  add(bytes: number, id: number | null, signal: AbortSignal | null): Promise<void> {
    this.#bytes += bytes;
    if (this.#bytes < this.#limit) return SENT;
    const promise = new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiters.delete(waiter);
        waiter.stopWatching();
        if (id !== null) this.#mailbox.post({ type: "unsend", id });
        reject(signal?.reason);
      };
      const stopWatching = (): void => unwatchAbort(signal, onAbort);
      const waiter: Waiter = { resolve, reject, stopWatching };
      this.#waiters.add(waiter);
      watchAbort(signal, onAbort);
    });
    return quietly(promise);
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#bytes < this.#limit) this.#settle((waiter) => waiter.resolve());
  }

  fail(closedError: () => Error): void {
    this.#settle((waiter) => waiter.reject(closedError()));
  }

  #settle(how: (waiter: Waiter) => void): void {
    for (const waiter of [...this.#waiters]) {
      this.#waiters.delete(waiter);
      waiter.stopWatching();
      how(waiter);
    }
  }
}
