// Where a client connects to, and with what. URL, headers and subprotocols may be functions of the attempt, so that
// each attempt has a fresh token, or another server.

import { unwatchAbort, watchAbort } from "../connection/abort-watch.js";
import type { Connection } from "../connection/connection.js";
import { toPromise } from "../connection/arguments.js";
import { describe, isURL } from "../connection/options.js";
import { HandshakeError, HoldfastError, InvalidArgument } from "../protocol/errors.js";
import { errorOf, thrownText } from "../protocol/thrown.js";
import type { Connector, ConnectorOptions, OpenObserver } from "./connector.js";

/**
 * A value, or the function that gives it for an attempt. The first attempt is 1; each that follows in a row, without
 * a connection that stayed up, counts one more. The signal aborts when the attempt is given up.
 */
export type Provided<Value> = Value | ((attempt: number, signal: AbortSignal) => Value | PromiseLike<Value>);

/** Options of a connector, of which some may be functions of the attempt. */
export type ProvidedOptions<Options extends ConnectorOptions> = Omit<Options, "headers" | "subprotocols"> & {
  readonly headers?: Provided<Options["headers"]>;
  readonly subprotocols?: Provided<Options["subprotocols"]>;
};

export interface Target<Options extends ConnectorOptions> {
  readonly connector: Connector<Options>;
  readonly url: Provided<string | URL>;
  readonly options: ProvidedOptions<Options>;
}

/** Is told, beside what the connector tells, where the attempt goes: once all functions have answered. */
export interface TargetObserver extends OpenObserver {
  onConnecting(url: string): void;
}

/** @throws InvalidArgument for what could not be a URL, whatever stands in it; the rest is each attempt's to check */
export function checkURLOrFunction(url: unknown): void {
  if (typeof url === "string" || typeof url === "function" || isURL(url)) return;
  throw new InvalidArgument(
    `Expected \`url\` to be a string, a URL, or a function that gives one, got ${describe(url)}`,
  );
}

/** What can be checked before the first attempt: all but what functions may give. */
export function withoutFunctions<Options extends ConnectorOptions>(
  options: ProvidedOptions<Options>,
): Options {
  const { headers: _headers, subprotocols: _subprotocols, ...others } = options;
  // Headers and subprotocols are optional for every connector.
  return others as unknown as Options;
}

/**
 * Opens a connection. An abort of the signal stops it at any moment, also while a function has not answered.
 *
 * @throws HandshakeError, InvalidArgument, or the reason of the signal
 */
export async function openTarget<Options extends ConnectorOptions>(
  { connector, url, options }: Target<Options>,
  attempt: number,
  signal: AbortSignal,
  observer: TargetObserver,
): Promise<Connection> {
  const current = {
    url: await provide("url", url, attempt, signal),
    headers: await provide("headers", options.headers, attempt, signal),
    subprotocols: await provide("subprotocols", options.subprotocols, attempt, signal),
  };
  signal.throwIfAborted();
  observer.onConnecting(connector.describeURL(current.url));
  const { headers, subprotocols } = current;
  // The functions are replaced by what they gave: the rest is as the connector wants it.
  const complete = { ...options, headers, subprotocols, signal } as unknown as Options;
  return connector.open(current.url, complete, observer);
}

async function provide<Value>(
  name: string,
  provided: Provided<Value>,
  attempt: number,
  signal: AbortSignal,
): Promise<Value> {
  if (typeof provided !== "function") return provided;
  // A value that is itself a function is no URL, header or subprotocol.
  const provider = provided as (attempt: number, signal: AbortSignal) => Value | PromiseLike<Value>;
  try {
    return await untilAborted(provider(attempt, signal), signal);
  } catch (cause) {
    if (signal.aborted || errorOf(cause) instanceof HoldfastError) throw cause;
    throw new HandshakeError(
      `The function that gives \`${name}\` failed for attempt ${attempt}: ${thrownText(cause)}`,
      { failure: "aborted", code: "ERR_HOLDFAST_PROVIDER", cause },
    );
  }
}

/** A function that does not answer must not hold up who gives the attempt up. */
function untilAborted<Value>(value: Value | PromiseLike<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const onAbort = (): void => reject(signal.reason);
    watchAbort(signal, onAbort);
    toPromise(value)
      .then(resolve, reject)
      .finally(() => unwatchAbort(signal, onAbort));
  });
}
