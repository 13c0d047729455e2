// `reconnect()` for Node.js, Bun and Deno.

import { FOREIGN_CLIENT_OPTIONS } from "../transport/node/foreign-options.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import type { Connection } from "../connection/connection.js";
import {
  checkPersistOptions,
  PERSIST_OPTIONS,
  type PersistOptions,
} from "../reconnect/retry/persist-options.js";
import { Reconnection } from "../reconnect/reconnect.js";
import { fixTarget, type ValueOrFactory, type PerAttemptOptions } from "../reconnect/target.js";
import { nodeConnector } from "./connector.js";
import { CONNECT_OPTIONS, type ConnectOptions } from "./options.js";

/**
 * Options of `reconnect()`: those of `connect()` and `persist()`. `headers` and `subprotocols` may be functions, which
 * are called for each attempt.
 */
export interface ReconnectOptions extends PerAttemptOptions<ConnectOptions>, PersistOptions {
  /** Ends reconnecting at any point: while connected, connecting or waiting. The loop ends without an error. */
  readonly signal?: AbortSignal | null | undefined;
}

const RECONNECT_OPTIONS: OptionNames<ReconnectOptions> = {
  ...CONNECT_OPTIONS,
  ...PERSIST_OPTIONS,
};

/**
 * Yields one open connection after another, with the backoff of `persist()` between them.
 *
 * ```ts
 * for await (const connection of reconnect("wss://example.com/feed")) {
 *   await connection.send("subscribe");
 *   await connection.forEach(show);
 * }
 * ```
 *
 * When the loop body completes, its connection is closed if it is still open, and the next one is opened. Leaving the
 * loop closes the connection, too. An error thrown by the body ends the loop. A body that reads with `for await` or
 * `recv()` must therefore catch ConnectionClosed; `forEach` returns instead of throwing.
 *
 * @param url the URL to connect to, or a function that returns it for each attempt
 * @throws InvalidArgumentError for an invalid option
 * @throws from the loop, errors that retrying cannot fix: InvalidURLError, InvalidStatusError (401, 403, 404, …), a
 *   HandshakeError for a rejected certificate, or an error for which `retryable` returned false
 */
export function reconnect(
  url: ValueOrFactory<string | URL>,
  options: ReconnectOptions = {},
): AsyncIterable<Connection> {
  checkOptionNames("reconnect()", options, RECONNECT_OPTIONS, FOREIGN_CLIENT_OPTIONS);
  const connector = nodeConnector();
  const { target, settings } = fixTarget<ConnectOptions>(connector, url, options);
  const persist = checkPersistOptions(options, connector.runtime.platform);
  return { [Symbol.asyncIterator]: () => new Reconnection({ target, settings, persist }) };
}
