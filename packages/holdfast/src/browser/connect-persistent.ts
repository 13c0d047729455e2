// `connectPersistent()` for browsers.

import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import type { PersistentConnection } from "../reconnect/persistent/persistent-connection.js";
import { PERSISTENT_OPTIONS, type PersistentOptions } from "../reconnect/persistent/persistent-options.js";
import { PERSIST_OPTIONS, type PersistOptions } from "../reconnect/retry/persist-options.js";
import type { ValueOrFactory, PerAttemptOptions } from "../reconnect/target.js";
import { openPersistent } from "./open-persistent.js";
import { CONNECT_OPTIONS, type ConnectOptions } from "./options.js";

/**
 * Options of `connectPersistent()`: its own and those of `connect()` and `persist()`. `subprotocols` may be a function,
 * which is called for each attempt.
 */
export interface ConnectPersistentOptions
  extends Omit<PerAttemptOptions<ConnectOptions>, "headers">, PersistOptions, PersistentOptions {
  /** Ends the connection at any point: while connected, connecting or waiting. */
  readonly signal?: AbortSignal | null | undefined;
}

const CONNECT_PERSISTENT_OPTIONS: OptionNames<ConnectPersistentOptions> = {
  ...CONNECT_OPTIONS,
  ...PERSIST_OPTIONS,
  ...PERSISTENT_OPTIONS,
};

/**
 * Returns one object for sending and receiving that reconnects whenever the connection is lost, with the backoff of
 * `persist()`. When the page becomes visible or the network returns, it checks the connection immediately.
 *
 * @param url the URL to connect to, or a function that returns it for each attempt
 * @throws InvalidArgumentError for an invalid option; an invalid URL ends the connection later
 */
export function connectPersistent(
  url: ValueOrFactory<string | URL>,
  options: ConnectPersistentOptions = {},
): PersistentConnection {
  checkOptionNames("connectPersistent()", options, CONNECT_PERSISTENT_OPTIONS);
  return openPersistent(url, options);
}
