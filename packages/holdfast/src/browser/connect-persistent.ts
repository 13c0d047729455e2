// `connectPersistent()` on the browser's WebSocket.

import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { openPersistent, type PersistentConnection } from "../reconnect/persistent/persistent-connection.js";
import { PERSISTENT_OPTIONS, type PersistentOptions } from "../reconnect/persistent/persistent-options.js";
import { PERSIST_OPTIONS, type PersistOptions } from "../reconnect/retry/persist-options.js";
import type { ValueOrFactory, PerAttemptOptions } from "../reconnect/target.js";
import { browserConnector } from "./connector.js";
import { CONNECT_OPTIONS, type ConnectOptions } from "./options.js";

/**
 * Options of `connectPersistent()`: those of `connect()`, of which `subprotocols` may be a function of the attempt;
 * those of `persist()`; and its own.
 */
export interface ConnectPersistentOptions
  extends Omit<PerAttemptOptions<ConnectOptions>, "headers">, PersistOptions, PersistentOptions {
  /** Ends it at any moment: while connected, while connecting, while waiting. */
  readonly signal?: AbortSignal | null | undefined;
}

const CONNECT_PERSISTENT_OPTIONS: OptionNames<ConnectPersistentOptions> = {
  ...CONNECT_OPTIONS,
  ...PERSIST_OPTIONS,
  ...PERSISTENT_OPTIONS,
};

/**
 * Connects, and comes back whenever the connection is lost, as `persist()` does: one object to send on and to read
 * from, for as long as the page needs it. When the page or the network comes back, it finds out at once how its
 * connection is.
 *
 * @param url where to connect to, or a function that tells it for each attempt
 * @throws InvalidArgumentError for an option that cannot be used; a URL that cannot is fatal later
 */
export function connectPersistent(
  url: ValueOrFactory<string | URL>,
  options: ConnectPersistentOptions = {},
): PersistentConnection {
  checkOptionNames("connectPersistent()", options, CONNECT_PERSISTENT_OPTIONS);
  return openPersistent(browserConnector, url, options);
}
