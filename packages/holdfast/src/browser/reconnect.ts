// `reconnect()` on the browser's WebSocket.

import type { Connection } from "../connection/connection.js";
import { checkPersistOptions, type PersistOptions } from "../persist/retry/persist-options.js";
import { Reconnection } from "../persist/reconnect.js";
import { fixTarget, type Provided, type ProvidedOptions } from "../persist/target.js";
import { browserConnector } from "./connector.js";
import type { ConnectOptions } from "./options.js";

/**
 * Options of `reconnect()`: those of `connect()`, of which `subprotocols` may be a function of the attempt, and those
 * of `persist()`.
 */
export interface ReconnectOptions extends Omit<ProvidedOptions<ConnectOptions>, "headers">, PersistOptions {
  /** Ends it at any moment: while connected, while connecting, while waiting. The loop ends quietly. */
  readonly signal?: AbortSignal | null | undefined;
}

/**
 * Hands out one open connection after the other, and waits in between as `persist()` does. The next one is opened when
 * the body is through with the one before. Leaving the loop closes it.
 *
 * @param url where to connect to, or a function that tells it for each attempt
 * @throws InvalidArgument for an option that cannot be used
 * @throws from the loop, whatever makes no sense to try again after
 */
export function reconnect(
  url: Provided<string | URL>,
  options: ReconnectOptions = {},
): AsyncIterable<Connection> {
  const { target, settings } = fixTarget<ConnectOptions>(browserConnector, url, options);
  const persist = checkPersistOptions(options);
  return { [Symbol.asyncIterator]: () => new Reconnection({ target, settings, persist }) };
}
