// `reconnect()`: one open connection after the other, for those who would rather hold a connection than events.

import type { Connection } from "../connection/connection.js";
import { ConcurrencyError, ConnectionClosed } from "../connection/errors.js";
import type { ConnectorOptions } from "./connector.js";
import { LoopInterruptions } from "./interruptions.js";
import type { AttemptOutcome } from "./retry/retry-policy.js";
import { Supervisor, type SupervisorHandler, type SupervisorOptions } from "./supervisor.js";

type Result = IteratorResult<Connection, undefined>;

const DONE: Result = { value: undefined, done: true };

export class Reconnection<Options extends ConnectorOptions>
  implements AsyncIterableIterator<Connection, undefined>, SupervisorHandler
{
  readonly #supervisor: Supervisor<Options>;
  readonly #interruptions: LoopInterruptions;
  /** The one that was handed out last. */
  #current: Connection | null = null;
  #hasBegun = false;
  #isBusy = false;
  #isDue = true;
  #isOver = false;
  /** What ended it, until it is thrown. */
  #failure: Error | null = null;
  #waiter: { readonly resolve: (result: Result) => void; readonly reject: (error: Error) => void } | null =
    null;

  constructor(options: SupervisorOptions<Options>) {
    const { signal } = options.persist;
    this.#supervisor = new Supervisor(options, this);
    this.#interruptions = new LoopInterruptions(signal === null ? [] : [signal], (reason) =>
      this.#supervisor.stop(reason),
    );
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next open connection. The one before is closed first, if it is not over. */
  async next(): Promise<Result> {
    if (this.#isBusy) {
      throw new ConcurrencyError("next() was called while another next() was waiting: it opens a connection");
    }
    this.#isBusy = true;
    try {
      if (!this.#hasBegun) {
        this.#hasBegun = true;
        this.#interruptions.watch();
      }
      await this.#current?.close();
      this.#current = null;
      return await this.#nextConnection();
    } finally {
      this.#isBusy = false;
    }
  }

  /** The body is left: its connection is closed, and nothing of it is left when the promise resolves. */
  async return(): Promise<Result> {
    this.#supervisor.close({ code: 1000, reason: "" });
    await this.#current?.closed;
    this.#current = null;
    this.#failure = null;
    return DONE;
  }

  // What the supervisor tells.

  onAttempt(): void {
    this.#isDue = false;
  }

  onOpen(connection: Connection): void {
    this.#current = connection;
    this.#waiter?.resolve({ value: connection, done: false });
    this.#waiter = null;
  }

  onWaiting(): void {
    // `onDue` tells when it is over.
  }

  /** The body may still be busy with the connection that was lost: the next one is for who asks for it. */
  onDue(): void {
    this.#isDue = true;
    if (this.#waiter !== null) this.#supervisor.begin();
  }

  onOver({ info, error }: AttemptOutcome, isFatal: boolean): void {
    this.#isOver = true;
    this.#interruptions.stop();
    // A connection that ended as it should, and is not to be followed by another, is no failure.
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

  /** Tells who waits that it is over, and why: once. */
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
