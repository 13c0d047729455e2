// The options of a client as they are when it is made: what the application changes later, and iterables that can be read
// only once, are the same for each attempt.

import { isThenable } from "../connection/arguments.js";
import { readItems } from "../shared/option-checks.js";

interface Copied {
  readonly headers?: unknown;
  readonly subprotocols?: unknown;
}

/**
 * The options as they are now; functions stay what they are.
 *
 * @throws InvalidArgumentError for an iterable that throws, or has no end
 */
export function copyOptions<Options extends Copied>(options: Options): Options {
  const { headers, subprotocols } = options;
  return {
    ...options,
    ...(headers === undefined ? {} : { headers: copyHeaders(headers) }),
    ...(subprotocols === undefined ? {} : { subprotocols: copyItems("subprotocols", subprotocols) }),
  };
}

/** Headers as they are now, not yet checked: a list of pairs where they were an iterable. */
export function copyHeaders<Headers>(headers: Headers): Headers {
  if (typeof headers !== "object" || headers === null) return headers;
  if (isThenable(headers) || Symbol.asyncIterator in headers) return headers; // None: the attempt says so.
  // Pairs are one of the forms that headers have, whatever they were before.
  const pairs = readItems("headers", headers) ?? Object.entries(headers);
  return pairs.map(copyList) as Headers;
}

function copyItems<Items>(name: string, items: Items): Items {
  return (readItems(name, items) as Items | null) ?? items; // A list is one of the forms that items have.
}

function copyList(value: unknown): unknown {
  return Array.isArray(value) ? value.map(copyList) : value;
}
