// Calls the application's handler for each connection, and closes the connection when the handler settles.

import { isThenable, toPromise } from "../connection/arguments.js";
import type { Connection } from "../connection/connection.js";
import type { ConnectionCore } from "../connection/connection-core.js";
import { coreOf } from "../connection/core-of.js";
import { ConnectionClosed } from "../connection/errors.js";
import type { FaultLogger } from "../connection/platform.js";
import { observeConsumer, type OutcomeObserver } from "../connection/reading/consume-all.js";
import { errorOf } from "../shared/thrown.js";
import type { ServerRequest } from "./upgrade/server-request.js";

/** A connection that a server accepted. `Data` is the type of the `data` that `onRequest` returned. */
export type ServerConnection<Data = unknown> = Connection<Data>;

/**
 * Receives each new connection, and the request that opened it: the same object that `onRequest` received. If it returns
 * a promise, the connection closes when the promise settles.
 */
export type ConnectionHandler<Data = unknown> = (
  connection: ServerConnection<Data>,
  request: ServerRequest,
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- With `unknown`, the compiler would refuse handlers that refer to their own server.
) => any;

export class HandlerRuns implements OutcomeObserver<ConnectionCore> {
  readonly #handler: ConnectionHandler;
  readonly #logger: FaultLogger | null;
  #running = 0;
  #onSettled: (() => void) | null = null;

  constructor(handler: ConnectionHandler, logger: FaultLogger | null) {
    this.#handler = handler;
    this.#logger = logger;
  }

  /** The number of handlers that have not settled. */
  get running(): number {
    return this.#running;
  }

  /** Resolves once all handlers have settled. */
  async settled(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#onSettled = resolve));
  }

  /**
   * Calls the handler. If it returns a promise, the connection closes when the promise settles; otherwise it stays
   * open. A failure affects only the handler's own connection.
   */
  start(connection: ServerConnection, request: ServerRequest): void {
    try {
      const result: unknown = this.#handler(connection, request);
      if (!isThenable(result)) return;
      const settling = toPromise(result);
      this.#running++;
      // Most handlers return the promise of `forEach()`.
      if (!observeConsumer(coreOf(connection).reader, settling, this)) this.#await(connection, settling);
    } catch (error) {
      this.#onFailure(connection, error);
    }
  }

  /** The handler returned the promise of `forEach()`, which is about to settle. */
  onSettling({ facade }: ConnectionCore, outcome: Promise<unknown>): void {
    this.#await(facade, outcome);
  }

  #await(connection: ServerConnection, settling: Promise<unknown>): void {
    settling.then(
      () => {
        void connection.close();
        this.#onEnd();
      },
      (error: unknown) => {
        this.#onFailure(connection, error);
        this.#onEnd();
      },
    );
  }

  #onEnd(): void {
    this.#running--;
    if (this.#running === 0) this.#onSettled?.();
  }

  #onFailure(connection: ServerConnection, thrown: unknown): void {
    const error = errorOf(thrown);
    // If an iteration or a `recv()` rethrows the end of the connection, the handler has not failed.
    if (error instanceof ConnectionClosed && connection.state === "closed") return;
    const { id, session } = connection;
    const who = session === null ? { id } : { id, session: session.id };
    this.#logger?.error("connection handler failed", { ...who, error });
    coreOf(connection).closeWithCause("handler-failed", { code: 1011, reason: "" }, error);
  }
}
