// `connectPersistent()` for Node.js, Bun and Deno.

import { FOREIGN_CLIENT_OPTIONS } from "../transport/node/foreign-options.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { openPersistent } from "../reconnect/persistent/open-persistent.js";
import type { PersistentConnection } from "../reconnect/persistent/persistent-connection.js";
import { PERSISTENT_OPTIONS, type PersistentOptions } from "../reconnect/persistent/persistent-options.js";
import { PERSIST_OPTIONS, type PersistOptions } from "../reconnect/retry/persist-options.js";
import type { ValueOrFactory, PerAttemptOptions } from "../reconnect/target.js";
import { nodeConnector } from "./connector.js";
import { CONNECT_OPTIONS, type ConnectOptions } from "./options.js";

/**
 * Options of `connectPersistent()`: its own and those of `connect()` and `persist()`. `headers` and `subprotocols` may
 * be functions, which are called for each attempt.
 */
export interface ConnectPersistentOptions
  extends PerAttemptOptions<ConnectOptions>, PersistOptions, PersistentOptions {
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
 * `persist()`.
 *
 * ```ts
 * const connection = connectPersistent("wss://example.com/feed", {
 *   onOpen: (opened) => opened.send("subscribe"),
 * });
 * connection.on("status", ({ state }) => console.log(state));
 * await connection.send("hello"); // Waits until connected.
 * for await (const message of connection) console.log(message);
 * ```
 *
 * It connects immediately. It ends when it is closed, when `signal` aborts, or after an error that retrying cannot fix.
 *
 * @param url the URL to connect to, or a function that returns it for each attempt
 * @throws InvalidArgumentError for an invalid option; an invalid URL or header ends the connection later
 */
export function connectPersistent(
  url: ValueOrFactory<string | URL>,
  options: ConnectPersistentOptions = {},
): PersistentConnection {
  checkOptionNames("connectPersistent()", options, CONNECT_PERSISTENT_OPTIONS, FOREIGN_CLIENT_OPTIONS);
  return openPersistent(nodeConnector(), url, options);
}
