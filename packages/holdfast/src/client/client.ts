// `Client` for Node.js, Bun and Deno.

import { FOREIGN_CLIENT_OPTIONS } from "../transport/node/foreign-options.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { ClientBase, setUpClient, STREAM_OPTIONS, type StreamOptions } from "../reconnect/client-base.js";
import type { ValueOrFactory, PerAttemptOptions } from "../reconnect/target.js";
import { nodeConnector } from "./connector.js";
import { CONNECT_OPTIONS, type ConnectOptions } from "./options.js";

/**
 * Options of a `Client`: `pollInterval` and those of `connect()`. `headers` and `subprotocols` may be functions, which
 * are called for each attempt.
 */
export interface ClientOptions extends PerAttemptOptions<ConnectOptions>, StreamOptions {
  /** Ends every loop over the client, at any point. */
  readonly signal?: AbortSignal | null | undefined;
}

const CLIENT_OPTIONS: OptionNames<ClientOptions> = {
  ...CONNECT_OPTIONS,
  ...STREAM_OPTIONS,
  signal: true,
};

/**
 * A connection as one stream of events, from the start of connecting to the end of closing.
 *
 * ```ts
 * const client = new Client("wss://example.com/feed");
 * for await (const event of persist(client)) {
 *   if (event.type === "ready") await client.sendJson({ subscribe: "ticker" });
 *   if (event.type === "text") console.log(event.json());
 * }
 * ```
 *
 * The constructor does no I/O. Each loop over the client opens one connection, and `persist(client)` reconnects.
 * Reading, pings, pongs and closing continue while the loop is busy, up to `maxQueue` unread messages.
 */
export class Client extends ClientBase {
  /**
   * @param url the URL to connect to, or a function that returns it for each attempt
   * @throws InvalidArgumentError for an invalid option; an invalid URL or header is reported as `connectFail`
   */
  constructor(url: ValueOrFactory<string | URL>, options: ClientOptions = {}) {
    checkOptionNames("Client", options, CLIENT_OPTIONS, FOREIGN_CLIENT_OPTIONS);
    super(setUpClient<ConnectOptions>(nodeConnector(), url, options));
  }
}
