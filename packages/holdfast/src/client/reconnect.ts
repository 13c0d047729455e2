// `reconnect()` on the sockets of Node.js, Bun and Deno.

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
 * Options of `reconnect()`: those of `connect()`, of which `headers` and `subprotocols` may be functions of the
 * attempt, and those of `persist()`.
 */
export interface ReconnectOptions extends PerAttemptOptions<ConnectOptions>, PersistOptions {
  /** Ends it at any moment: while connected, while connecting, while waiting. The loop ends quietly. */
  readonly signal?: AbortSignal | null | undefined;
}

const RECONNECT_OPTIONS: OptionNames<ReconnectOptions> = {
  ...CONNECT_OPTIONS,
  ...PERSIST_OPTIONS,
};

/**
 * Hands out one open connection after the other, and waits in between as `persist()` does.
 *
 * ```ts
 * for await (const connection of reconnect("wss://example.com/feed")) {
 *   await connection.send("subscribe");
 *   await connection.forEach(show);
 * }
 * ```
 *
 * The next connection is opened when the body is through with the one before, which is closed then if it is still
 * open. Leaving the loop closes it, too. An error that the body throws ends the loop, as in any loop: a body that
 * reads with `for await` or `recv()` catches ConnectionClosed, `forEach` just returns.
 *
 * @param url where to connect to, or a function that tells it for each attempt
 * @throws InvalidArgumentError for an option that cannot be used
 * @throws from the loop, whatever makes no sense to try again after: InvalidURLError, InvalidStatusError (401, 403, 404, …),
 *   a HandshakeError for a certificate that is not accepted, or what `retryable` refused
 */
export function reconnect(
  url: ValueOrFactory<string | URL>,
  options: ReconnectOptions = {},
): AsyncIterable<Connection> {
  checkOptionNames("reconnect()", options, RECONNECT_OPTIONS, FOREIGN_CLIENT_OPTIONS);
  const { target, settings } = fixTarget<ConnectOptions>(nodeConnector, url, options);
  const persist = checkPersistOptions(options, nodeConnector.runtime.platform);
  return { [Symbol.asyncIterator]: () => new Reconnection({ target, settings, persist }) };
}
