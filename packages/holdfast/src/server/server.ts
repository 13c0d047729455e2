// The public handle of a running server.

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { checkClose, type Bytes } from "../connection/arguments.js";
import { describeObject, showInInspector } from "../connection/inspection.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { unwatchAbort, watchAbort } from "../shared/abort-watch.js";
import { checkSignal } from "../shared/option-checks.js";
import { broadcast, type BroadcastOptions, type BroadcastResult } from "./broadcast.js";
import { errorOf } from "../shared/thrown.js";
import type { ServerListener } from "./listener/server-listener.js";
import type { ServerConnection } from "./handler-runs.js";
import { handleUpgrade } from "./attachment/handle-upgrade.js";
import type { ServerCore } from "./server-core.js";
import type { SessionUsage } from "./sessions/session-registry.js";
import type { UpgradeGrant } from "./upgrade/request-answer.js";
import { checkTimes, shutDown, type ShutDownOptions } from "./shutdown/shut-down.js";

/** Options of `Server.close()`. */
export interface ServerCloseOptions {
  /** The close code that clients receive. @default 1001 */
  readonly code?: number | undefined;
  /** The close reason that clients receive. @default "" */
  readonly reason?: string | undefined;
  /**
   * Milliseconds after which the server stops waiting: it cuts the connections that are left, and no longer waits for
   * handlers that have not settled. Null waits without a limit.
   *
   * @default `spread` plus `closeTimeout`, plus a second for handlers
   */
  readonly timeout?: number | null | undefined;
  /**
   * Milliseconds over which the server spreads the Closes evenly, so that the clients do not all reconnect at once;
   * less than `timeout`. @default 0
   */
  readonly spread?: number | undefined;
  /** Stops waiting when it aborts, as if `timeout` had expired: for a second SIGTERM. */
  readonly signal?: AbortSignal | null | undefined;
}

const CLOSE_OPTIONS: OptionNames<ServerCloseOptions> = {
  code: true,
  reason: true,
  timeout: true,
  spread: true,
  signal: true,
};

/** @throws InvalidArgumentError */
export function checkCloseOptions(options: ServerCloseOptions, closeTimeout: number | null): ShutDownOptions {
  checkOptionNames("close()", options, CLOSE_OPTIONS);
  const close = checkClose(options.code ?? 1001, options.reason ?? "");
  const signal = checkSignal(options.signal);
  return { close, signal, ...checkTimes(options, closeTimeout) };
}

// The class sets this. It keeps internal types out of the shipped declarations.
let read: (server: Server) => { readonly listener: ServerListener; readonly core: ServerCore };
// It takes the class: nothing else may refer to it, and a bundler would leave it out.
let create: <Data>(
  Class: typeof Server,
  listener: ServerListener,
  core: ServerCore,
  signal: AbortSignal | null,
) => Server<Data>;

/** A running server, created by `serve()` or `attach()`. `Data` is the type of `data` of its connections. */
export class Server<Data = unknown> implements AsyncDisposable {
  readonly #listener: ServerListener;
  readonly #core: ServerCore;
  readonly #signal: AbortSignal | null;
  #closing: Promise<void> | null = null;

  static {
    create = (Class, listener, core, signal) => new Class(listener, core, signal);
    read = (server) => ({ listener: server.#listener, core: server.#core });
    showInInspector(this, ({ url, connections }) =>
      describeObject("Server", { url, connections: connections.size }),
    );
  }

  private constructor(listener: ServerListener, core: ServerCore, signal: AbortSignal | null) {
    this.#listener = listener;
    this.#core = core;
    this.#signal = signal;
    watchAbort(signal, this.#onAbort);
  }

  /** The TCP port; 0 on a Unix socket, and with `attach(null, …)`. */
  get port(): number {
    return this.#listener.port;
  }

  /**
   * A URL that reaches the server from this machine: `ws:`, `wss:`, or `ws+unix:` with the path of the socket; "" with
   * `attach(null, …)`.
   */
  get url(): string {
    return this.#listener.url;
  }

  /** The connections that are open or closing; a live set. */
  get connections(): ReadonlySet<ServerConnection<Data>> {
    return this.#core.connections as ReadonlySet<ServerConnection<Data>>; // `onRequest` returned their data.
  }

  /** The number of sessions, and the memory that they use; null without the option `sessions`. A snapshot. */
  get sessions(): SessionUsage | null {
    return this.#core.sessionUsage;
  }

  /** Sends a message to all connections, as `broadcast()` does. */
  broadcast(data: string | Bytes, options?: BroadcastOptions): BroadcastResult {
    return broadcast(this.connections, data, options);
  }

  /**
   * Handles an upgrade that your own HTTP server received: pass the arguments of its `upgrade` event (docs/server.md).
   * `origins`, `hosts`, `onRequest` and all limits apply as they do to any other request. If the client has
   * disconnected, the call does nothing; if the request is not for a WebSocket, the server answers with 426. Over
   * HTTP/1.1 only.
   *
   * @param head the bytes that followed the request
   * @param granted headers for the response, and `connection.data`. A grant that `onRequest` returns replaces it
   * @throws InvalidArgumentError, InvalidHeaderError, without touching the socket
   */
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Uint8Array,
    granted: UpgradeGrant<Data> = {},
  ): void {
    handleUpgrade(this.#core, request, socket, head, granted);
  }

  /**
   * Stops listening and closes every connection. Resolves when all connections have ended and all handlers have
   * settled, or after `timeout`. Clients that are connected without an upgrade and send a request now receive 503 with
   * Retry-After. Further calls return the same promise.
   *
   * @throws InvalidArgumentError for invalid options, without closing anything
   */
  async close(options: ServerCloseOptions = {}): Promise<void> {
    const checked = checkCloseOptions(options, this.#core.settings.connection.closeTimeout);
    unwatchAbort(this.#signal, this.#onAbort);
    this.#closing ??= shutDown(this.#listener, this.#core, checked);
    return this.#closing;
  }

  readonly #onAbort = (): void => {
    this.close().catch((error: unknown) => {
      this.#core.settings.connection.logger?.error("closing the server failed", { error: errorOf(error) });
    });
  };

  /** `await using server = …` closes with 1001 at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Gives the library access to the parts of a server. */
export function partsOf(server: Server): {
  readonly listener: ServerListener;
  readonly core: ServerCore;
} {
  return read(server);
}

/** @param signal closes the server when it aborts; it has not aborted yet */
export function createServer<Data>(
  listener: ServerListener,
  core: ServerCore,
  signal: AbortSignal | null = null,
): Server<Data> {
  return create<Data>(Server, listener, core, signal);
}
