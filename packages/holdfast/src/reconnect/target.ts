// Where a client connects to, and with what. URL, headers and subprotocols may be functions of the attempt, so that
// each attempt has a fresh token, or another server.

import type { Connection } from "../connection/connection.js";
import { checkOpenTimeout } from "../connection/handshake-options.js";
import { type ConnectionSettings } from "../connection/options.js";
import { describe, isURL } from "../shared/option-checks.js";
import type { AsyncContext } from "../connection/platform.js";
import { InvalidArgumentError } from "../shared/errors.js";
import { callProviders } from "./call-providers.js";
import type { Connector, ConnectorOptions } from "./connector.js";
import type { OpenObserver } from "../connection/open-observer.js";
import { copyOptions } from "./copy-options.js";

/**
 * A value, or the function that gives it for an attempt. The first attempt is 1; each that follows in a row, without
 * a connection that stayed up, counts one more. The signal aborts when the attempt is given up.
 */
export type ValueOrFactory<Value> =
  Value | ((attempt: number, signal: AbortSignal) => Value | PromiseLike<Value>);

/** Options of a connector, of which some may be functions of the attempt. */
export type PerAttemptOptions<
  Options extends { readonly headers?: unknown; readonly subprotocols?: unknown },
> = Omit<Options, "headers" | "subprotocols"> & {
  readonly headers?: ValueOrFactory<Options["headers"]>;
  readonly subprotocols?: ValueOrFactory<Options["subprotocols"]>;
};

export interface Target<Options extends ConnectorOptions> {
  readonly connector: Connector<Options>;
  readonly url: ValueOrFactory<string | URL>;
  readonly options: PerAttemptOptions<Options>;
  /** Where the client was made: every attempt runs in it. Null where the platform has none. */
  readonly context: AsyncContext | null;
}

/** Is told, beside what the connector tells, where the attempt goes: once all functions have answered. */
export interface TargetObserver extends OpenObserver {
  onConnecting(url: string): void;
}

/**
 * Where a client connects to, as it is now: what the application changes later, and iterables that can be read only
 * once, are the same for each attempt.
 *
 * @throws InvalidArgumentError for an option that no attempt could use, and for what could not be a URL; the URL's text and
 *   the headers are each attempt's to check
 */
export function fixTarget<Options extends ConnectorOptions>(
  connector: Connector<Options>,
  url: ValueOrFactory<string | URL>,
  options: PerAttemptOptions<Options>,
): { readonly target: Target<Options>; readonly settings: ConnectionSettings } {
  checkURLOrFunction(url);
  const copy = copyOptions(options);
  const fixed = connector.fixOptions?.(copy) ?? copy;
  return {
    target: {
      connector,
      url: isURL(url) ? url.href : url,
      options: fixed,
      context: connector.runtime.platform.captureContext(),
    },
    settings: connector.checkOptions(withoutFunctions(fixed)),
  };
}

function checkURLOrFunction(url: unknown): void {
  if (typeof url === "string" || typeof url === "function" || isURL(url)) return;
  throw new InvalidArgumentError(
    `Expected \`url\` to be a string, a URL, or a function that gives one, got ${describe(url)}`,
  );
}

/** What can be checked before the first attempt: all but what functions give. */
function withoutFunctions<Options extends ConnectorOptions>(options: PerAttemptOptions<Options>): Options {
  const { subprotocols, ...others } = options;
  const isKnown = typeof subprotocols !== "function";
  // Headers are not looked at by this check, and subprotocols are optional for every connector.
  return (isKnown ? options : others) as unknown as Options;
}

/**
 * Opens a connection. An abort of the signal stops it at any moment, also while a function has not answered.
 *
 * @throws HandshakeError, InvalidArgumentError, or the reason of the signal
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
  const current = await callProviders({ url, headers, subprotocols }, call);
  signal.throwIfAborted();
  if (typeof current.url !== "string" && !isURL(current.url)) {
    throw new InvalidArgumentError(
      `Expected the function that gives \`url\` to return a string or a URL, got ${describe(current.url)}`,
    );
  }
  observer.onConnecting(connector.describeURL(current.url));
  // The functions are replaced by what they gave: the rest is as the connector wants it.
  const complete = {
    ...options,
    headers: current.headers,
    subprotocols: current.subprotocols,
    signal,
  } as unknown as Options;
  return connector.open(current.url, complete, observer);
}
