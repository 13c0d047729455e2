// `Client` for browsers. With `persist()`, which programs use it with, it is a start of pages (scripts/bundle.mjs).

import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { ClientBase, setUpClient, STREAM_OPTIONS, type StreamOptions } from "../reconnect/client-base.js";
import type { ValueOrFactory, PerAttemptOptions } from "../reconnect/target.js";
import { browserConnector } from "./connector.js";
import { CONNECT_OPTIONS, type ConnectOptions, NO_SESSION } from "./options.js";

/**
 * Options of a `Client`: `pollInterval` and those of `connect()`. `subprotocols` may be a function, which is called for
 * each attempt.
 */
export interface ClientOptions extends Omit<PerAttemptOptions<ConnectOptions>, "headers">, StreamOptions {}

const CLIENT_OPTIONS: OptionNames<ClientOptions> = {
  ...CONNECT_OPTIONS,
  ...STREAM_OPTIONS,
};

export { persist } from "../reconnect/persist.js";

/** A connection as one stream of events, from the start of connecting to the end of closing. */
export class Client extends ClientBase {
  /**
   * @param url the URL to connect to, or a function that returns it for each attempt
   * @throws InvalidArgumentError for an invalid option; an invalid URL is reported as `connectFail`
   */
  constructor(url: ValueOrFactory<string | URL>, options: ClientOptions = {}) {
    checkOptionNames("Client", options, CLIENT_OPTIONS, NO_SESSION);
    super(setUpClient<ConnectOptions>(browserConnector, url, options));
  }
}
