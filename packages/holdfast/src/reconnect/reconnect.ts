// `reconnect()`: one open connection after another, for code that prefers connections to events.

import { rejectToCaller } from "../connection/caller-stack.js";
import type { Connection } from "../connection/connection.js";
import { ConcurrencyError, ConnectionClosed } from "../connection/errors.js";
import type { ConnectorOptions } from "./connector.js";
import type { AttemptOutcome } from "./attempt.js";
import { Supervisor, type SupervisorHandler, type SupervisorOptions } from "./supervisor.js";

type Result = IteratorResult<Connection, undefined>;

const DONE: Result = { value: undefined, done: true };

export class Reconnection<Options extends ConnectorOptions>
  implements AsyncIterableIterator<Connection, undefined>, SupervisorHandler
{
  readonly #supervisor: Supervisor<Options>;
  /** The connection that was yielded last. */
  #current: Connection | null = null;
  #isNextPending = false;
  #isOver = false;
  /** The error that ended the loop, until it is thrown. */
  #failure: Error | null = null;
  /** Resolves the `next()` that waits. */
  #waiter: ((result: Result | PromiseLike<never>) => void) | null = null;

  constructor(options: SupervisorOptions<Options>) {
    this.#supervisor = new Supervisor(options, this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Resolves with the next open connection. Closes the previous one first, if it is still open. */
  async next(): Promise<Result> {
    if (this.#isNextPending) {
      throw new ConcurrencyError(
        "Expected one next() at a time, got another one while the first opens a connection. Await the first.",
      );
    }
    this.#isNextPending = true;
    try {
      await this.#current?.close();
      this.#current = null;
      return await this.#nextConnection();
    } finally {
      this.#isNextPending = false;
    }
  }

  /** The consumer leaves the loop: closes the connection, and resolves once it has ended. */
  async return(): Promise<Result> {
    await (this.#supervisor.close({ code: 1000, reason: "" }) ?? this.#supervisor.gone);
    this.#current = null;
    this.#failure = null;
    return DONE;
  }

  // SupervisorHandler

  onAttempt(): void {
    // `onOpen` or `onWaiting` follows.
  }

  onOpen(connection: Connection): void {
    this.#current = connection;
    this.#waiter?.({ value: connection, done: false });
    this.#waiter = null;
  }

  onWaiting(): void {
    // `onDue` follows.
  }

  /** The consumer may still be busy with the lost connection: the next one is opened once `next()` is called. */
  onDue(): void {
    if (this.#waiter !== null) this.#supervisor.begin();
  }

  onOver({ info }: AttemptOutcome, failure: Error | null): void {
    this.#isOver = true;
    // A clean end is not a failure, even if `retryable` has refused another one.
    this.#failure = failure instanceof ConnectionClosed && info.ok ? null : failure;
    this.#settle();
  }

  #nextConnection(): Promise<Result> {
    return new Promise((resolve) => {
      this.#waiter = resolve;
      if (this.#isOver) this.#settle();
      else if (this.#supervisor.isDue) this.#supervisor.begin();
    });
  }

  /** Ends the waiting `next()`. The error that ended the loop is thrown once. */
  #settle(): void {
    const waiter = this.#waiter;
    if (waiter === null) return;
    this.#waiter = null;
    const failure = this.#failure;
    this.#failure = null;
    waiter(failure === null ? DONE : rejectToCaller(failure));
  }
}
