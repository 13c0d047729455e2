// Opens the connection of an attempt: calls the functions of the target first.

import type { Connection } from "../connection/connection.js";
import { checkOpenTimeout } from "../connection/handshake-options.js";
import type { OpenObserver } from "../connection/open-observer.js";
import { InvalidArgumentError } from "../shared/errors.js";
import { describe, isURL } from "../shared/option-checks.js";
import { callFactories } from "./call-factories.js";
import type { ConnectorOptions } from "./connector.js";
import type { Target } from "./target.js";

/** Also receives the URL of the attempt, once all functions have returned. */
export interface TargetObserver extends OpenObserver {
  onConnecting(url: string): void;
}

/**
 * Opens a connection. The signal aborts the attempt at any moment, even while a function is pending.
 *
 * @throws HandshakeError, InvalidArgumentError, or the signal's reason
 */
export function openTarget<Options extends ConnectorOptions>(
  target: Target<Options>,
  attempt: number,
  signal: AbortSignal,
  observer: TargetObserver,
): Promise<Connection> {
  const { context } = target;
  if (context === null) return openHere(target, attempt, signal, observer);
  return context.runInAsyncScope(openHere<Options>, undefined, target, attempt, signal, observer);
}

async function openHere<Options extends ConnectorOptions>(
  { connector, url, options }: Target<Options>,
  attempt: number,
  signal: AbortSignal,
  observer: TargetObserver,
): Promise<Connection> {
  const { headers, subprotocols } = options;
  const timeout = checkOpenTimeout(options.openTimeout);
  const call = { runtime: connector.runtime, attempt, signal, timeout };
  const current = await callFactories({ url, headers, subprotocols }, call);
  signal.throwIfAborted();
  if (typeof current.url !== "string" && !isURL(current.url)) {
    throw new InvalidArgumentError(
      `Expected the function for \`url\` to return a string or a URL, got ${describe(current.url)}.`,
    );
  }
  // With the functions replaced by their results, these are the connector's own options.
  const complete = {
    ...options,
    headers: current.headers,
    subprotocols: current.subprotocols,
    signal,
  } as unknown as Options;
  if (observer.session?.load !== undefined) await observer.session.load();
  observer.onConnecting(connector.describeURL(current.url));
  return connector.open(current.url, complete, observer);
}
