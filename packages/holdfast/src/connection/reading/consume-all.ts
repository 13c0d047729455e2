// `forEach()`: calls a function with each message.

import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import { Deferred } from "../../shared/deferred.js";
import { isThenable, toPromise } from "../arguments.js";
import type { Message, ReadableConnection, Reader } from "./inbox.js";
import type { AsyncContext } from "../platform.js";
import { SENT } from "../sent.js";

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
    consumer.stopWatching();
    throw error;
  }
  return consumer.promise;
}

class Consumer<Source extends ReadableConnection, Outcome> extends Deferred<Outcome> implements Reader {
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
    super();
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
    this.stopWatching();
    this.resolve(this.#howItEnded(this.#connection));
  }

  fail(error: unknown): void {
    this.stopWatching();
    this.#connection.inbox.detach(this);
    this.reject(error);
  }

  stopWatching(): void {
    if (this.#onAbort !== null && this.#signal !== null) unwatchAbort(this.#signal, this.#onAbort);
  }
}
