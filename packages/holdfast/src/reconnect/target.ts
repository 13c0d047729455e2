// The target of a client: URL and options. URL, headers and subprotocols may be functions of the attempt, for example
// to use a fresh token or another server each time.

import type { Connection } from "../connection/connection.js";
import { checkOpenTimeout } from "../connection/handshake-options.js";
import { type ConnectionSettings } from "../connection/options.js";
import { describe, isURL } from "../shared/option-checks.js";
import type { AsyncContext } from "../connection/platform.js";
import { InvalidArgumentError } from "../shared/errors.js";
import { callFactories } from "./call-factories.js";
import type { Connector, ConnectorOptions } from "./connector.js";
import type { OpenObserver } from "../connection/open-observer.js";
import { copyOptions } from "./copy-options.js";

/**
 * A value, or a function that returns it for an attempt. `attempt` is 1 for the first attempt, and grows by one with
 * each consecutive attempt that fails or whose connection does not stay open. The signal aborts when the attempt ends.
 */
export type ValueOrFactory<Value> =
  Value | ((attempt: number, signal: AbortSignal) => Value | PromiseLike<Value>);

/** Options of a connector; `headers` and `subprotocols` may be functions of the attempt. */
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
  /** The async context in which the client was created: every attempt runs in it. Null if the platform has none. */
  readonly context: AsyncContext | null;
}

/** Also receives the URL of the attempt, once all functions have returned. */
export interface TargetObserver extends OpenObserver {
  onConnecting(url: string): void;
}

/**
 * Copies URL and options, so that every attempt uses the same values: the application may change its objects later, and
 * some iterables can be read only once.
 *
 * @throws InvalidArgumentError for an option that no attempt could use, and for a URL of the wrong type. Each attempt
 *   checks the URL's text and the headers.
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
    `Expected \`url\` to be a string, a URL, or a function that returns one, got ${describe(url)}.`,
  );
}

/** The options that can be checked before the first attempt: those that are not functions. */
function withoutFunctions<Options extends ConnectorOptions>(options: PerAttemptOptions<Options>): Options {
  const { subprotocols, ...others } = options;
  const isKnown = typeof subprotocols !== "function";
  // The check ignores headers, and subprotocols are optional for every connector.
  return (isKnown ? options : others) as unknown as Options;
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
  observer.onConnecting(connector.describeURL(current.url));
  // With the functions replaced by their results, these are the connector's own options.
  const complete = {
    ...options,
    headers: current.headers,
    subprotocols: current.subprotocols,
    signal,
  } as unknown as Options;
  return connector.open(current.url, complete, observer);
}
