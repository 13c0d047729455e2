// Copies the options of a client at construction, so that every attempt uses the same values: the application may change
// its objects later, and some iterables can be read only once.

import { isThenable } from "../connection/arguments.js";
import { readItems } from "../shared/option-checks.js";

interface CopyableOptions {
  readonly headers?: unknown;
  readonly subprotocols?: unknown;
}

/**
 * Returns a copy of the options. Functions are not called.
 *
 * @throws InvalidArgumentError for an iterable that throws or never ends
 */
export function copyOptions<Options extends CopyableOptions>(options: Options): Options {
  const { headers, subprotocols } = options;
  return {
    ...options,
    ...(headers === undefined ? {} : { headers: copyHeaders(headers) }),
    ...(subprotocols === undefined ? {} : { subprotocols: copyItems("subprotocols", subprotocols) }),
  };
}

/** Returns a copy of the headers, not yet checked. An iterable becomes a list of pairs. */
export function copyHeaders<Headers>(headers: Headers): Headers {
  if (typeof headers !== "object" || headers === null) return headers;
  if (isThenable(headers) || Symbol.asyncIterator in headers) return headers; // Not headers: the attempt reports that.
  // A list of pairs is a valid form of headers.
  const pairs = readItems("headers", headers) ?? Object.entries(headers);
  return pairs.map(copyList) as Headers;
}

function copyItems<Items>(name: string, items: Items): Items {
  return (readItems(name, items) as Items | null) ?? items; // A list is a valid form of these options.
}

function copyList(value: unknown): unknown {
  return Array.isArray(value) ? value.map(copyList) : value;
}
