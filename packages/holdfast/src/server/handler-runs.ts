// The application's handler, once for each connection, and the end that it makes of it.

import { isThenable, toPromise } from "../connection/arguments.js";
import { coreOf, type Connection } from "../connection/connection.js";
import { ConnectionClosed } from "../connection/errors.js";
import type { FaultLogger } from "../connection/platform.js";
import { errorOf } from "../shared/thrown.js";
import type { ServerRequest } from "./upgrade/server-request.js";

/** A connection at a server. */
export type ServerConnection = Connection;

/** Called with each new connection; its connection is closed when what it returns settles. */
export type ConnectionHandler = (connection: ServerConnection) => unknown;

/** The same, for those who want the request as well: it is the object that `onRequest` was asked about. */
export type RequestHandler = (connection: ServerConnection, request: ServerRequest) => unknown;

export class HandlerRuns {
  readonly #handler: RequestHandler;
  readonly #logger: FaultLogger | null;
  #running = 0;
  #onSettled: (() => void) | null = null;

  constructor(handler: RequestHandler, logger: FaultLogger | null) {
    this.#handler = handler;
    this.#logger = logger;
  }

  /** Handlers that have not settled. */
  get running(): number {
    return this.#running;
  }

  /** Resolves once none is running. */
  async settled(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#onSettled = resolve));
  }

  /**
   * A handler that returns a promise ends its connection when that settles; one that does not leaves it open. A
   * failure is its own connection's only.
   */
  start(connection: ServerConnection, request: ServerRequest): void {
    try {
      const result = this.#handler(connection, request);
      if (!isThenable(result)) return;
      const settling = toPromise(result);
      this.#running++;
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
    } catch (error) {
      this.#onFailure(connection, error);
    }
  }

  #onEnd(): void {
    this.#running--;
    if (this.#running === 0) this.#onSettled?.();
  }

  #onFailure(connection: ServerConnection, thrown: unknown): void {
    const error = errorOf(thrown);
    // The connection's own end, thrown by an iteration or a recv, is no failure of the handler.
    if (error instanceof ConnectionClosed && connection.state === "closed") return;
    this.#logger?.error("connection handler failed", { id: connection.id, error });
    coreOf(connection).closeWithCause("handler-failed", { code: 1011, reason: "" }, error);
  }
}
