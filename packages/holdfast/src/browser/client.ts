// `Client` on the browser's WebSocket.

import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { ClientBase, setUpClient } from "../reconnect/client-base.js";
import { STREAM_OPTIONS, type StreamOptions } from "../reconnect/client-options.js";
import type { ValueOrFactory, PerAttemptOptions } from "../reconnect/target.js";
import { browserConnector } from "./connector.js";
import { CONNECT_OPTIONS, type ConnectOptions } from "./options.js";

/**
 * Options of a `Client`: those of `connect()`, of which `subprotocols` may be a function of the attempt, and
 * `pollInterval`.
 */
export interface ClientOptions extends Omit<PerAttemptOptions<ConnectOptions>, "headers">, StreamOptions {}

const CLIENT_OPTIONS: OptionNames<ClientOptions> = {
  ...CONNECT_OPTIONS,
  ...STREAM_OPTIONS,
};

/** A connection as one stream of events: from the first step of connecting to the last of closing. */
export class Client extends ClientBase {
  /**
   * @param url where to connect to, or a function that tells it for each attempt
   * @throws InvalidArgumentError for an option that cannot be used; a URL that cannot is the attempt's `connectFail`
   */
  constructor(url: ValueOrFactory<string | URL>, options: ClientOptions = {}) {
    checkOptionNames("Client", options, CLIENT_OPTIONS);
    super(setUpClient<ConnectOptions>(browserConnector, url, options));
  }
}
