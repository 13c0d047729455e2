// `Client` and `reconnect()` on the sockets of Node.js, Bun and Deno.

import { FOREIGN_CLIENT_OPTIONS } from "../transport/node/foreign-options.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { ClientBase, setUpClient } from "../reconnect/client-base.js";
import { STREAM_OPTIONS, type StreamOptions } from "../reconnect/client-options.js";
import type { ValueOrFactory, PerAttemptOptions } from "../reconnect/target.js";
import { nodeConnector } from "./connector.js";
import { CONNECT_OPTIONS, type ConnectOptions } from "./options.js";

/**
 * Options of a `Client`: those of `connect()`, of which `headers` and `subprotocols` may be functions of the attempt,
 * and `pollInterval`.
 */
export interface ClientOptions extends PerAttemptOptions<ConnectOptions>, StreamOptions {
  /** Ends every loop over the client, at any moment. */
  readonly signal?: AbortSignal | null | undefined;
}

const CLIENT_OPTIONS: OptionNames<ClientOptions> = {
  ...CONNECT_OPTIONS,
  ...STREAM_OPTIONS,
  signal: true,
};

/**
 * A connection as one stream of events: from the first step of connecting to the last of closing.
 *
 * ```ts
 * const client = new Client("wss://example.com/feed");
 * for await (const event of persist(client)) {
 *   if (event.type === "ready") await client.sendJson({ subscribe: "ticker" });
 *   if (event.type === "text") console.log(event.json());
 * }
 * ```
 *
 * Making one does nothing; a loop over it connects. `persist(client)` does so again and again. Reading, pings, pongs
 * and closing go on however slow the loop is, up to `maxQueue` unread messages.
 */
export class Client extends ClientBase {
  /**
   * @param url where to connect to, or a function that tells it for each attempt
   * @throws InvalidArgumentError for an option that cannot be used; a URL or header that cannot is the attempt's `connectFail`
   */
  constructor(url: ValueOrFactory<string | URL>, options: ClientOptions = {}) {
    checkOptionNames("Client", options, CLIENT_OPTIONS, FOREIGN_CLIENT_OPTIONS);
    super(setUpClient<ConnectOptions>(nodeConnector, url, options));
  }
}
