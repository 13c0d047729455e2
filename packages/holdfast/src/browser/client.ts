// `Client` on the browser's WebSocket.

import { ClientBase } from "../persist/client-base.js";
import type { StreamOptions } from "../persist/client-options.js";
import type { Provided, ProvidedOptions } from "../persist/target.js";
import { browserConnector } from "./connector.js";
import type { ConnectOptions } from "./options.js";

/**
 * Options of a `Client`: those of `connect()`, of which `subprotocols` may be a function of the attempt, and
 * `pollInterval`.
 */
export interface ClientOptions extends Omit<ProvidedOptions<ConnectOptions>, "headers">, StreamOptions {}

/** A connection as one stream of events: from the first step of connecting to the last of closing. */
export class Client extends ClientBase<ConnectOptions> {
  /**
   * @param url where to connect to, or a function that tells it for each attempt
   * @throws InvalidArgument for an option that cannot be used; a URL that cannot is the attempt's `connectFail`
   */
  constructor(url: Provided<string | URL>, options: ClientOptions = {}) {
    super(browserConnector, url, options);
  }
}
