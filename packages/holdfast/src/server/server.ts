// A running server, as the application holds it.

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { checkClose, type Bytes } from "../connection/arguments.js";
import { describeObject, showInInspector } from "../connection/inspection.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { checkSignal } from "../shared/option-checks.js";
import { broadcast, type BroadcastOptions, type BroadcastResult } from "./broadcast.js";
import type { ServerListener } from "./listener/server-listener.js";
import type { ServerConnection } from "./handler-runs.js";
import { handOver } from "./attachment/hand-over.js";
import type { ServerCore } from "./server-core.js";
import type { UpgradeGrant } from "./upgrade/request-answer.js";
import { checkTimes, shutDown } from "./shutdown/shut-down.js";

/** For `Server.close()`. */
export interface ServerCloseOptions {
  /** The close code that clients get. @default 1001 */
  readonly code?: number;
  /** The reason that they get. @default "" */
  readonly reason?: string;
  /**
   * Milliseconds after which nothing is waited for any more: connections that linger are cut, handlers that have not
   * settled are left to themselves. Null waits as long as it takes.
   *
   * @default `spread` and `closeTimeout` together, and a second for handlers
   */
  readonly timeout?: number | null;
  /**
   * Milliseconds over which the Closes are spread evenly, so that the clients do not all come back at once; less
   * than `timeout`. @default 0
   */
  readonly spread?: number;
  /** Ends the patience early, as if `timeout` were over: for a second SIGTERM. */
  readonly signal?: AbortSignal | null | undefined;
}

const CLOSE_OPTIONS: OptionNames<ServerCloseOptions> = {
  code: true,
  reason: true,
  timeout: true,
  spread: true,
  signal: true,
};

/** Made by `serve()` and `attach()`. */
export class Server implements AsyncDisposable {
  readonly #entrance: ServerListener;
  readonly #reception: ServerCore;
  #closing: Promise<void> | null = null;

  static {
    showInInspector(this, ({ url, connections }) =>
      describeObject("Server", { url, connections: connections.size }),
    );
  }

  private constructor(entrance: ServerListener, reception: ServerCore) {
    this.#entrance = entrance;
    this.#reception = reception;
  }

  /** The port that it listens on; 0 on a Unix socket, and where it only takes upgrades that it is handed. */
  get port(): number {
    return this.#entrance.port;
  }

  /** A URL that reaches it from this machine: `ws:`, `wss:`, or `ws+unix:` with the path of the socket; "" where it does not listen. */
  get url(): string {
    return this.#entrance.url;
  }

  /** The connections that are open or closing; live. */
  get connections(): ReadonlySet<ServerConnection> {
    return this.#reception.connections;
  }

  /** Sends a message to all connections, as `broadcast()` does. */
  broadcast(data: string | Bytes, options?: BroadcastOptions): BroadcastResult {
    return broadcast(this.connections, data, options);
  }

  /**
   * Takes an upgrade that an HTTP server of yours received and that you decided on: the arguments of its event
   * `upgrade` (docs/server.md). `origins`, `hosts`, `onRequest` and all limits apply as to any other request. A client
   * that has gone meanwhile is ignored; a request that asks for no WebSocket gets 426. Over HTTP/1.1 only.
   *
   * @param head what came behind the request
   * @param granted what goes with the upgrade: headers for the response, and `connection.data`. What `onRequest`
   * returns comes first
   * @throws InvalidArgumentError, InvalidHeaderError; the socket is not touched then
   */
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Uint8Array,
    granted: UpgradeGrant = {},
  ): void {
    handOver(this.#reception, request, socket, head, granted);
  }

  /**
   * Stops listening and closes every connection; resolves when all of it is done, handlers included, after `timeout`
   * at the latest. Clients that have connected before and ask for something now get 503 and Retry-After. Calling it
   * again changes nothing.
   *
   * @throws InvalidArgumentError for options that cannot be used; nothing is closed then
   */
  async close(options: ServerCloseOptions = {}): Promise<void> {
    checkOptionNames("close()", options, CLOSE_OPTIONS);
    const close = checkClose(options.code ?? 1001, options.reason ?? "");
    const signal = checkSignal(options.signal);
    const times = checkTimes(options, this.#reception.settings.connection.closeTimeout);
    this.#closing ??= shutDown(this.#entrance, this.#reception, { close, signal, ...times });
    return this.#closing;
  }

  /** `await using server = …` closes with 1001 at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** For `serve()` and `attach()`. */
export function createServer(entrance: ServerListener, reception: ServerCore): Server {
  // The constructor is private so that the declarations which ship do not name its parameters.
  const Constructor = Server as unknown as new (entrance: ServerListener, reception: ServerCore) => Server;
  return new Constructor(entrance, reception);
}
