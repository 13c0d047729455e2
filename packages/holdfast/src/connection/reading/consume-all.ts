// `forEach()`: calls a function with each message.

import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import { ignore } from "../../shared/deferred.js";
import { isThenable, toPromise } from "../arguments.js";
import type { Message, ReadableConnection, Reader } from "./inbox.js";
import type { AsyncContext } from "../platform.js";
import { SENT } from "../sent.js";

/** Observes how a `forEach()` settles. */
export interface OutcomeObserver<Source> {
  /** `outcome`, the promise of the `forEach()`, is about to settle. */
  onSettling(connection: Source, outcome: Promise<unknown>): void;
}

/**
 * Calls `callback` with each message, one at a time. Resolves, when the connection has ended, with its outcome.
 * @param howItEnded shared by all connections, since a closure for each would cost 200 bytes
 * @throws ConcurrencyError, InvalidStateError, or the abort reason
 */
export function consumeAll<Source extends ReadableConnection, Outcome>(
  connection: Source,
  callback: (message: Message) => unknown,
  signal: AbortSignal | null,
  howItEnded: (connection: Source) => Outcome,
): Promise<Outcome> {
  signal?.throwIfAborted();
  const consumer = new Consumer(connection, callback, signal, howItEnded);
  try {
    connection.inbox.attach(consumer, "forEach()");
  } catch (error) {
    consumer.beginSettling();
    throw error;
  }
  return consumer.promise;
}

/**
 * Calls the observer before `promise` settles, if it is that of the `forEach()` that reads the connection. Returns false
 * for any other promise. Callbacks that wait on the promise itself would take 250 bytes of each connection.
 */
export function observeConsumer<Source extends ReadableConnection>(
  reader: Reader | null,
  promise: Promise<unknown>,
  observer: OutcomeObserver<Source>,
): boolean {
  if (!(reader instanceof Consumer) || reader.promise !== promise) return false;
  reader.observer = observer;
  return true;
}

class Consumer<Source extends ReadableConnection, Outcome> implements Reader {
  readonly promise: Promise<Outcome>;
  /** Null for none. */
  observer: OutcomeObserver<Source> | null = null;
  /** Rejects as well, by a rejected promise: the function for that would take another 56 bytes. */
  #resolve: (outcome: Outcome | Promise<Outcome>) => void = ignore;
  readonly #connection: Source;
  readonly #callback: (message: Message) => unknown;
  /** The async context in which `forEach()` was called; the callback runs in it. */
  readonly #context: AsyncContext | null;
  readonly #signal: AbortSignal | null;
  readonly #howItEnded: (connection: Source) => Outcome;
  // Made on demand: idle consumers need none.
  #continuation: { readonly onReady: () => void; readonly onFailure: (error: unknown) => void } | null = null;
  #onAbort: (() => void) | null = null;

  constructor(
    connection: Source,
    callback: (message: Message) => unknown,
    signal: AbortSignal | null,
    howItEnded: (connection: Source) => Outcome,
  ) {
    this.promise = new Promise((resolve) => (this.#resolve = resolve));
    this.#connection = connection;
    this.#callback = callback;
    this.#context = connection.runtime.platform.captureContext();
    this.#signal = signal;
    this.#howItEnded = howItEnded;
    if (signal === null) return;
    this.#onAbort = () => this.fail(signal.reason);
    watchAbort(signal, this.#onAbort);
  }

  take(message: Message): boolean {
    try {
      const result =
        this.#context === null
          ? this.#callback(message)
          : this.#context.runInAsyncScope(this.#callback, undefined, message);
      // The send has already resolved. Awaiting it would cost a microtask for each message.
      if (result === SENT || !isThenable(result)) return true;
      this.#continuation ??= {
        onReady: () => this.#connection.inbox.resume(this),
        onFailure: (error) => this.fail(error),
      };
      toPromise(result).then(this.#continuation.onReady, this.#continuation.onFailure);
    } catch (error) {
      this.fail(error);
    }
    return false;
  }

  end(): void {
    this.beginSettling();
    this.#resolve(this.#howItEnded(this.#connection));
  }

  fail(error: unknown): void {
    this.beginSettling();
    this.#connection.inbox.detach(this);
    this.#resolve(Promise.reject(error));
  }

  /** Called before the promise settles, or when it never will. */
  beginSettling(): void {
    this.observer?.onSettling(this.#connection, this.promise);
    this.observer = null;
    if (this.#onAbort !== null && this.#signal !== null) unwatchAbort(this.#signal, this.#onAbort);
  }
}
