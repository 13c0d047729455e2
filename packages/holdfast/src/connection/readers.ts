// The readers of an inbox: wait for one message (`recv`, the iterator), or pass each message to a callback (`forEach`).

import { unwatchAbort, watchAbort } from "../shared/abort-watch.js";
import { isThenable, toPromise } from "./arguments.js";
import { rejectToCaller } from "./caller-stack.js";
import { TooSlowError } from "./errors.js";
import type { Inbox, Message, Reader } from "./inbox.js";
import type { AsyncContext } from "./platform.js";
import type { Runtime } from "./runtime.js";
import { SENT } from "./sent.js";
import { Alarm, type AlarmHandler, type TimerQueue } from "./timer-queue.js";

export interface WaitOptions {
  readonly signal: AbortSignal | null;
  /** Milliseconds; null for no limit. */
  readonly timeout: number | null;
}

/** The part of ConnectionCore that readers use. */
export interface ReadableConnection {
  readonly inbox: Inbox;
  readonly runtime: Runtime;
  readonly timers: TimerQueue;
  now(): number;
  /** The error that reports how the connection ended. Called only after the end. */
  closedError(): Error;
  /** Whether the connection ended cleanly, so that an iteration ends without an error. Read only after the end. */
  readonly hasEndedWell: boolean;
}

/** Resolves with the next message; rejects with ConnectionClosed if none will arrive. */
export function receiveOne(
  connection: ReadableConnection,
  what: string,
  options: WaitOptions,
): Promise<Message> {
  return new Promise((resolve, reject) => {
    options.signal?.throwIfAborted();
    const waiter = new MessageWaiter(connection, options, resolve, reject);
    connection.inbox.attach(waiter, what);
    waiter.watch();
  });
}

/**
 * Calls `callback` with each message, one at a time. Resolves, when the connection has ended, with its outcome.
 * @param howItEnded shared by all connections, since a closure for each would cost 200 bytes
 */
export function consumeAll<Source extends ReadableConnection, Outcome>(
  connection: Source,
  callback: (message: Message) => unknown,
  signal: AbortSignal | null,
  howItEnded: (connection: Source) => Outcome,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const consumer = new Consumer(connection, callback, signal, { resolve, reject, howItEnded });
    try {
      connection.inbox.attach(consumer, "forEach()");
    } catch (error) {
      consumer.stopWatching();
      throw error;
    }
  });
}

class MessageWaiter implements Reader, AlarmHandler {
  readonly #connection: ReadableConnection;
  readonly #options: WaitOptions;
  readonly #resolve: (message: Message | PromiseLike<never>) => void;
  readonly #reject: (error: unknown) => void;
  #alarm: Alarm | null = null;
  #isSettled = false;

  constructor(
    connection: ReadableConnection,
    options: WaitOptions,
    resolve: (message: Message | PromiseLike<never>) => void,
    reject: (error: unknown) => void,
  ) {
    this.#connection = connection;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Watches the signal and the timeout, unless a message was already there. */
  watch(): void {
    if (this.#isSettled) return;
    const { signal, timeout } = this.#options;
    if (signal !== null) watchAbort(signal, this.#onAbort);
    if (timeout === null) return;
    this.#alarm = new Alarm(this);
    this.#connection.timers.set(this.#alarm, this.#connection.now() + timeout);
  }

  take(message: Message): boolean {
    this.#leave();
    this.#connection.inbox.noteReader("caller");
    this.#resolve(message);
    return false;
  }

  end(): void {
    this.#leave();
    this.#resolve(rejectToCaller(this.#connection.closedError()));
  }

  fail(error: Error): void {
    this.#leave();
    this.#reject(error);
  }

  onAlarm(): void {
    const timeout = this.#options.timeout ?? 0;
    this.#leave();
    const message = `Expected a message within ${timeout} ms, got none; nothing is lost, recv() again`;
    this.#resolve(rejectToCaller(new TooSlowError(message, timeout)));
  }

  readonly #onAbort = (): void => {
    this.#leave();
    this.#reject(this.#options.signal?.reason);
  };

  #leave(): void {
    this.#isSettled = true;
    this.#connection.inbox.detach(this);
    if (this.#options.signal !== null) unwatchAbort(this.#options.signal, this.#onAbort);
    if (this.#alarm !== null) this.#connection.timers.cancel(this.#alarm);
  }
}

interface Consumption<Source, Outcome> {
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
  readonly howItEnded: (connection: Source) => Outcome;
}

class Consumer<Source extends ReadableConnection, Outcome> implements Reader {
  readonly #connection: Source;
  readonly #callback: (message: Message) => unknown;
  /** The async context in which `forEach()` was called; the callback runs in it. */
  readonly #context: AsyncContext | null;
  readonly #signal: AbortSignal | null;
  readonly #end: Consumption<Source, Outcome>;
  // Made on demand: idle consumers need none.
  #continuation: { readonly onReady: () => void; readonly onFailure: (error: unknown) => void } | null = null;
  #onAbort: (() => void) | null = null;

  constructor(
    connection: Source,
    callback: (message: Message) => unknown,
    signal: AbortSignal | null,
    end: Consumption<Source, Outcome>,
  ) {
    this.#connection = connection;
    this.#callback = callback;
    this.#context = connection.runtime.platform.captureContext();
    this.#signal = signal;
    this.#end = end;
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
      return false;
    } catch (error) {
      this.fail(error);
      return false;
    }
  }

  end(): void {
    this.stopWatching();
    this.#end.resolve(this.#end.howItEnded(this.#connection));
  }

  fail(error: unknown): void {
    this.stopWatching();
    this.#connection.inbox.detach(this);
    this.#end.reject(error);
  }

  stopWatching(): void {
    if (this.#onAbort !== null && this.#signal !== null) unwatchAbort(this.#signal, this.#onAbort);
  }
}
