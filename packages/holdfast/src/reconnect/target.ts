// The target of a client: URL and options. URL, headers and subprotocols may be functions of the attempt, for example
// to use a fresh token or another server each time.

import type { ConnectionSettings } from "../connection/options.js";
import { describe, isURL } from "../shared/option-checks.js";
import type { AsyncContext } from "../connection/platform.js";
import { InvalidArgumentError } from "../shared/errors.js";
import type { Connector, ConnectorOptions } from "./connector.js";
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
