// `reconnect()`: one open connection after another, for code that prefers connections to events.

import type { Connection } from "../connection/connection.js";
import { ConcurrencyError, ConnectionClosed } from "../connection/errors.js";
import type { ConnectorOptions } from "./connector.js";
import { StopSignals } from "./stop-signals.js";
import type { AttemptOutcome } from "./retry/retry-policy.js";
import { Supervisor, type SupervisorHandler, type SupervisorOptions } from "./supervisor.js";

type Result = IteratorResult<Connection, undefined>;

const DONE: Result = { value: undefined, done: true };

export class Reconnection<Options extends ConnectorOptions>
  implements AsyncIterableIterator<Connection, undefined>, SupervisorHandler
{
  readonly #supervisor: Supervisor<Options>;
  readonly #stopSignals: StopSignals;
  /** The connection that was yielded last. */
  #current: Connection | null = null;
  #hasBegun = false;
  #isNextPending = false;
  #isDue = true;
  #isOver = false;
  /** The error that ended the loop, until it is thrown. */
  #failure: Error | null = null;
  #waiter: { readonly resolve: (result: Result) => void; readonly reject: (error: Error) => void } | null =
    null;

  constructor(options: SupervisorOptions<Options>) {
    const { signal } = options.persist;
    this.#supervisor = new Supervisor(options, this);
    this.#stopSignals = new StopSignals(signal === null ? [] : [signal], (reason) =>
      this.#supervisor.stop(reason),
    );
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Resolves with the next open connection. Closes the previous one first, if it is still open. */
  async next(): Promise<Result> {
    if (this.#isNextPending) {
      throw new ConcurrencyError("next() was called while another next() was waiting: it opens a connection");
    }
    this.#isNextPending = true;
    try {
      if (!this.#hasBegun) {
        this.#hasBegun = true;
        this.#stopSignals.watch();
      }
      await this.#current?.close();
      this.#current = null;
      return await this.#nextConnection();
    } finally {
      this.#isNextPending = false;
    }
  }

  /** The consumer leaves the loop: closes the connection, and resolves once it has ended. */
  async return(): Promise<Result> {
    this.#supervisor.close({ code: 1000, reason: "" });
    await this.#current?.closed;
    this.#current = null;
    this.#failure = null;
    return DONE;
  }

  // SupervisorHandler

  onAttempt(): void {
    this.#isDue = false;
  }

  onOpen(connection: Connection): void {
    this.#current = connection;
    this.#waiter?.resolve({ value: connection, done: false });
    this.#waiter = null;
  }

  onWaiting(): void {
    // `onDue` follows.
  }

  /** The consumer may still be busy with the lost connection: the next one is opened once `next()` is called. */
  onDue(): void {
    this.#isDue = true;
    if (this.#waiter !== null) this.#supervisor.begin();
  }

  onOver({ info, error }: AttemptOutcome, isFatal: boolean): void {
    this.#isOver = true;
    this.#stopSignals.stop();
    // A connection that ended cleanly is no failure, even if `retryable` has refused another one.
    const isFailure = isFatal && !(error instanceof ConnectionClosed && info.ok);
    this.#failure = isFailure ? error : null;
    this.#settle();
  }

  #nextConnection(): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      if (this.#isOver) this.#settle();
      else if (this.#isDue) this.#supervisor.begin();
    });
  }

  /** Ends the waiting `next()`. The error that ended the loop is thrown once. */
  #settle(): void {
    const waiter = this.#waiter;
    if (waiter === null) return;
    this.#waiter = null;
    const failure = this.#failure;
    this.#failure = null;
    if (failure === null) waiter.resolve(DONE);
    else waiter.reject(failure);
  }
}
