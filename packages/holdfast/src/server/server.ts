// A running server, as the application holds it.

import { checkClose, type Bytes } from "../connection/arguments.js";
import { describeObject, inspectCustom } from "../connection/inspection.js";
import { checkOptionNames, type OptionNames } from "../connection/option-names.js";
import { checkSignal } from "../connection/options.js";
import { broadcast, type BroadcastOptions, type BroadcastResult } from "./broadcast.js";
import type { Entrance } from "./entrance.js";
import type { ServerConnection } from "./handler-runs.js";
import type { Reception } from "./reception.js";
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
  readonly #entrance: Entrance;
  readonly #reception: Reception;
  #closing: Promise<void> | null = null;

  /** Applications get servers from `serve()` and `attach()`. */
  constructor(entrance: Entrance, reception: Reception) {
    this.#entrance = entrance;
    this.#reception = reception;
  }

  /** The port that it listens on; 0 on a Unix socket. */
  get port(): number {
    return this.#entrance.port;
  }

  /** A URL that reaches it from this machine: `ws:`, `wss:`, or `ws+unix:` with the path of the socket. */
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
   * Closes every connection and stops listening; resolves when all of it is done, handlers included, after `timeout`
   * at the latest. Meanwhile newcomers are refused with 503 and Retry-After. Calling it again changes nothing.
   *
   * @throws InvalidArgument for options that cannot be used; nothing is closed then
   */
  async close(options: ServerCloseOptions = {}): Promise<void> {
    checkOptionNames("close()", options, CLOSE_OPTIONS);
    const close = checkClose(options.code ?? 1001, options.reason ?? "");
    const signal = checkSignal(options.signal);
    const times = checkTimes(options, this.#reception.settings.connection.closeTimeout);
    this.#closing ??= shutDown(this.#entrance, this.#reception, { close, signal, ...times });
    return this.#closing;
  }

  [inspectCustom](): string {
    return describeObject("Server", { url: this.url, connections: this.connections.size });
  }

  /** `await using server = …` closes with 1001 at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
