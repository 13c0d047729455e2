// `connectPersistent()` on the sockets of Node.js, Bun and Deno.

import { FOREIGN_CLIENT_OPTIONS } from "../transport/node/foreign-options.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { openPersistent, type PersistentConnection } from "../reconnect/persistent/persistent-connection.js";
import { PERSISTENT_OPTIONS, type PersistentOptions } from "../reconnect/persistent/persistent-options.js";
import { PERSIST_OPTIONS, type PersistOptions } from "../reconnect/retry/persist-options.js";
import type { ValueOrFactory, PerAttemptOptions } from "../reconnect/target.js";
import { nodeConnector } from "./connector.js";
import { CONNECT_OPTIONS, type ConnectOptions } from "./options.js";

/**
 * Options of `connectPersistent()`: those of `connect()`, of which `headers` and `subprotocols` may be functions of the
 * attempt; those of `persist()`; and its own.
 */
export interface ConnectPersistentOptions
  extends PerAttemptOptions<ConnectOptions>, PersistOptions, PersistentOptions {
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
 * from, for as long as the application needs it.
 *
 * ```ts
 * const link = connectPersistent("wss://example.com/feed", {
 *   onOpen: (connection) => connection.send("subscribe"),
 * });
 * link.on("status", ({ state }) => console.log(state));
 * await link.send("hello"); // Waits for the connection.
 * for await (const message of link) console.log(message);
 * ```
 *
 * It begins to connect at once, and ends when it is closed, when `signal` aborts, or when trying again makes no sense.
 *
 * @param url where to connect to, or a function that tells it for each attempt
 * @throws InvalidArgumentError for an option that cannot be used; a URL or header that cannot is fatal later
 */
export function connectPersistent(
  url: ValueOrFactory<string | URL>,
  options: ConnectPersistentOptions = {},
): PersistentConnection {
  checkOptionNames("connectPersistent()", options, CONNECT_PERSISTENT_OPTIONS, FOREIGN_CLIENT_OPTIONS);
  return openPersistent(nodeConnector, url, options);
}
