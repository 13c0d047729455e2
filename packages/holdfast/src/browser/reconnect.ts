// `reconnect()` on the browser's WebSocket.

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
import { CONNECT_OPTIONS, type ConnectOptions } from "./options.js";

/**
 * Options of `reconnect()`: those of `connect()`, of which `subprotocols` may be a function of the attempt, and those
 * of `persist()`.
 */
export interface ReconnectOptions extends Omit<PerAttemptOptions<ConnectOptions>, "headers">, PersistOptions {
  /** Ends it at any moment: while connected, while connecting, while waiting. The loop ends quietly. */
  readonly signal?: AbortSignal | null | undefined;
}

const RECONNECT_OPTIONS: OptionNames<ReconnectOptions> = {
  ...CONNECT_OPTIONS,
  ...PERSIST_OPTIONS,
};

/**
 * Hands out one open connection after the other, and waits in between as `persist()` does. The next one is opened when
 * the body is through with the one before. Leaving the loop closes it.
 *
 * @param url where to connect to, or a function that tells it for each attempt
 * @throws InvalidArgumentError for an option that cannot be used
 * @throws from the loop, whatever makes no sense to try again after
 */
export function reconnect(
  url: ValueOrFactory<string | URL>,
  options: ReconnectOptions = {},
): AsyncIterable<Connection> {
  checkOptionNames("reconnect()", options, RECONNECT_OPTIONS);
  const { target, settings } = fixTarget<ConnectOptions>(browserConnector, url, options);
  const persist = checkPersistOptions(options, browserConnector.runtime.platform);
  return { [Symbol.asyncIterator]: () => new Reconnection({ target, settings, persist }) };
}
