// `reconnect()` for browsers.

import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import type { Connection } from "../connection/connection.js";
import {
  checkPersistOptions,
  PERSIST_OPTIONS,
  type PersistOptions,
} from "../reconnect/retry/persist-options.js";
import { Reconnection } from "../reconnect/reconnect.js";
import { fixTarget, type ValueOrFactory, type PerAttemptOptions } from "../reconnect/target.js";
import { browserConnector } from "./connector.js";
import { CONNECT_OPTIONS, type ConnectOptions, NO_SESSION } from "./options.js";

/**
 * Options of `reconnect()`: those of `connect()` and `persist()`. `subprotocols` may be a function, which is called for
 * each attempt.
 */
export interface ReconnectOptions extends Omit<PerAttemptOptions<ConnectOptions>, "headers">, PersistOptions {
  /** Ends reconnecting at any point: while connected, connecting or waiting. The loop ends without an error. */
  readonly signal?: AbortSignal | null | undefined;
}

const RECONNECT_OPTIONS: OptionNames<ReconnectOptions> = {
  ...CONNECT_OPTIONS,
  ...PERSIST_OPTIONS,
};

/**
 * Yields one open connection after another, with the backoff of `persist()` between them. When the loop body completes,
 * its connection is closed if it is still open, and the next one is opened. Leaving the loop closes the connection.
 *
 * @param url the URL to connect to, or a function that returns it for each attempt
 * @throws InvalidArgumentError for an invalid option
 * @throws from the loop, errors that retrying cannot fix
 */
export function reconnect(
  url: ValueOrFactory<string | URL>,
  options: ReconnectOptions = {},
): AsyncIterable<Connection> {
  checkOptionNames("reconnect()", options, RECONNECT_OPTIONS, NO_SESSION);
  const { target, settings } = fixTarget<ConnectOptions>(browserConnector, url, options);
  const persist = checkPersistOptions(options, browserConnector.runtime.platform);
  return { [Symbol.asyncIterator]: () => new Reconnection({ target, settings, persist }) };
}
