// Opens the first WebSocket of a persistent connection while the page loads the code that will use it.

import type { Connection } from "../connection/connection.js";
import type { OpenObserver } from "../connection/open-observer.js";
import { watchAbort } from "../shared/abort-watch.js";
import { Deferred, quietly } from "../shared/deferred.js";
import { open } from "./connect.js";
import type { LateObserver } from "./open.js";
import type { ConnectOptions } from "./options.js";

export class EarlyOpening implements LateObserver {
  readonly wantsSession: boolean;
  readonly #aborter = new AbortController();
  readonly #observer = new Deferred<OpenObserver | null>();
  readonly #connection: Promise<Connection>;

  constructor(url: string | URL, options: ConnectOptions, wantsSession: boolean) {
    this.wantsSession = wantsSession;
    const { signal } = this.#aborter;
    // Unawaited if no attempt takes it over.
    this.#connection = quietly(open(url, { ...options, signal }, this));
  }

  get observer(): Promise<OpenObserver | null> {
    return this.#observer.promise;
  }

  /** An attempt takes the WebSocket over. Returns its connection. */
  take(observer: OpenObserver | null, signal: AbortSignal | null): Promise<Connection> {
    this.abandonWith(signal);
    this.#observer.resolve(observer);
    return this.#connection;
  }

  /** No attempt will take it over. */
  abandon(): void {
    this.#aborter.abort();
  }

  /** Closes the WebSocket when the signal aborts. */
  abandonWith(signal: AbortSignal | null): void {
    const abandon = (): void => this.#aborter.abort(signal?.reason);
    if (signal?.aborted === true) abandon();
    watchAbort(signal, abandon);
  }
}
