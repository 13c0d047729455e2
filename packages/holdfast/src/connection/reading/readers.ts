// The readers that wait for one message: `recv()`, and `for await (const message of connection)`.

import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import { Deferred, ignore } from "../../shared/deferred.js";
import { TextBytes } from "../../shared/text-bytes.js";
import { rejectToCaller } from "../caller-stack.js";
import { noMessageError } from "../errors.js";
import type { Message, ReadableConnection, Reader } from "./inbox.js";
import { Alarm, type AlarmHandler } from "../timer-queue.js";

export interface WaitOptions {
  readonly signal: AbortSignal | null;
  /** Milliseconds; null for no limit. */
  readonly timeout: number | null;
}

/**
 * Resolves with the next message; rejects with ConnectionClosed if none will arrive.
 * @throws ConcurrencyError while another reader is attached, InvalidStateError after `discard()`, or the abort reason
 */
export function receiveOne(
  connection: ReadableConnection,
  what: string,
  options: WaitOptions,
): Promise<Message> {
  return attachWaiter(connection, what, options).promise;
}

function attachWaiter(connection: ReadableConnection, what: string, options: WaitOptions): MessageWaiter {
  options.signal?.throwIfAborted();
  const waiter = new MessageWaiter(connection, options);
  connection.inbox.attach(waiter, what);
  waiter.watch();
  return waiter;
}

class MessageWaiter extends Deferred<Message> implements Reader, AlarmHandler {
  readonly #connection: ReadableConnection;
  readonly #options: WaitOptions;
  #alarm: Alarm | null = null;
  #isSettled = false;

  constructor(connection: ReadableConnection, options: WaitOptions) {
    super();
    this.#connection = connection;
    this.#options = options;
  }

  /** Watches the signal and the timeout, unless a message was already there. */
  watch(): void {
    if (this.#isSettled) return;
    const { signal, timeout } = this.#options;
    watchAbort(signal, this.#onAbort);
    if (timeout === null) return;
    this.#alarm = new Alarm(this);
    this.#connection.timers.set(this.#alarm, this.#connection.now() + timeout);
  }

  take(message: Message): boolean {
    this.#stopWaiting();
    this.#connection.inbox.noteReader("caller");
    this.resolve(message);
    return false;
  }

  end(): void {
    this.#stopWaiting();
    this.resolve(rejectToCaller(this.#connection.closedError()));
  }

  fail(error: unknown): void {
    this.#stopWaiting();
    this.reject(error);
  }

  /** Stops waiting: the next message is for the next reader. The promise rejects with `LEFT`. */
  leave(): void {
    if (!this.#isSettled) this.fail(LEFT);
  }

  onAlarm(): void {
    const timeout = this.#options.timeout ?? 0;
    this.#stopWaiting();
    this.resolve(rejectToCaller(noMessageError(timeout)));
  }

  readonly #onAbort = (): void => {
    this.#stopWaiting();
    this.reject(this.#options.signal?.reason);
  };

  #stopWaiting(): void {
    this.#isSettled = true;
    this.#connection.inbox.detach(this);
    unwatchAbort(this.#options.signal, this.#onAbort);
    if (this.#alarm !== null) this.#connection.timers.cancel(this.#alarm);
  }
}

/** The reason for which a waiter was left. */
const LEFT = Symbol("left");

export type ReadResult = IteratorResult<Message, undefined>;

export const DONE: ReadResult = { value: undefined, done: true };

/** Queued messages cost one promise each; an async generator would cost half again as much. */
export class MessageIterator implements AsyncIterator<Message, undefined>, Reader {
  readonly #connection: ReadableConnection;
  #resolve: (result: ReadResult | PromiseLike<never>) => void = ignore;
  #isLeft = false;

  constructor(connection: ReadableConnection) {
    this.#connection = connection;
    connection.inbox.addUser();
  }

  next(): Promise<ReadResult> {
    if (this.#isLeft) return Promise.resolve(DONE); // `Readable.from()` may call it once more.
    const { inbox } = this.#connection;
    if (inbox.length > 0 && !inbox.hasReader) {
      return Promise.resolve({ value: inbox.poll("reader") ?? "", done: false });
    }
    return new Promise((resolve) => {
      inbox.checkFree("iteration"); // Before the one that waits is forgotten.
      this.#resolve = resolve;
      inbox.attach(this, "iteration");
    });
  }

  /** The loop was left, maybe while it waits (`Readable.from()` does so): the next message is for the next reader. */
  return(): Promise<ReadResult> {
    const { inbox } = this.#connection;
    if (!this.#isLeft) inbox.removeUser();
    this.#isLeft = true;
    if (inbox.reader === this) {
      inbox.detach(this);
      this.#resolve(DONE);
    } else if (inbox.presence === "reader" && !inbox.hasReader) {
      inbox.noteReader("caller");
    }
    return Promise.resolve(DONE);
  }

  take(message: Message): boolean {
    this.#connection.inbox.detach(this);
    this.#connection.inbox.noteReader("reader");
    this.#resolve({ value: message, done: false });
    return false;
  }

  end(): void {
    if (this.#connection.hasEndedWell) this.#resolve(DONE);
    else this.#resolve(rejectToCaller(this.#connection.closedError()));
  }

  fail(error: Error): void {
    this.#resolve(rejectToCaller(error));
  }
}

/** A whole message as a piece: pieces of text are strings, whatever the option `text` says. */
export function asPiece(message: Message): Message {
  return message instanceof TextBytes ? message.toString() : message;
}

/** `recvStream()` where every message arrives whole: it is the only piece. */
export class WholeMessage implements AsyncIterableIterator<Message, undefined> {
  readonly #connection: ReadableConnection;
  readonly #options: WaitOptions;
  #waiter: MessageWaiter | null = null;
  #isOver = false;

  constructor(connection: ReadableConnection, signal: AbortSignal | null) {
    this.#connection = connection;
    this.#options = { signal, timeout: null };
    connection.inbox.addUser();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<ReadResult> {
    if (this.#isOver) return DONE;
    this.#begin();
    this.#waiter = attachWaiter(this.#connection, "recvStream()", this.#options);
    try {
      return { value: asPiece(await this.#waiter.promise), done: false };
    } catch (error) {
      if (error === LEFT) return DONE;
      throw error;
    }
  }

  return(): Promise<ReadResult> {
    this.#begin();
    this.#waiter?.leave();
    return Promise.resolve(DONE);
  }

  #begin(): void {
    if (!this.#isOver) this.#connection.inbox.removeUser();
    this.#isOver = true;
  }
}
