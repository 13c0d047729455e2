// The `path` option of `attach()`: which requests a WebSocket server handles.

import { ignoreRejection } from "../../shared/deferred.js";
import { invalidArgument } from "../../shared/option-checks.js";
import type { ServerRequest } from "../upgrade/server-request.js";

/** The URL path, without the query: an exact string, a RegExp, or a function that decides; undefined for all paths. */
export type PathFilter = string | RegExp | ((request: ServerRequest) => boolean) | undefined;

/** @throws InvalidArgumentError */
export function checkPathFilter(value: unknown): PathFilter {
  if (value === undefined || value instanceof RegExp || typeof value === "function")
    return value as PathFilter;
  if (typeof value === "string" && value.startsWith("/") && !/[?#]/.test(value)) {
    return new URL(`http://localhost${value}`).pathname; // Percent-encoded, as clients send it.
  }
  throw invalidArgument("path", 'a path such as "/chat", a RegExp or a function', value);
}

/** @throws InvalidArgumentError if the function returns anything but true or false, such as a promise */
export function matchesPath(filter: PathFilter, request: ServerRequest): boolean {
  if (filter === undefined) return true;
  if (typeof filter === "function") {
    const verdict: unknown = filter(request);
    if (typeof verdict === "boolean") return verdict;
    ignoreRejection(verdict);
    throw invalidArgument("path()", "true or false", verdict);
  }
  const [path = ""] = request.target.split("?", 1);
  // `search` always starts at 0; `test` with a global expression continues after the previous match.
  return typeof filter === "string" ? path === filter : path.search(filter) !== -1;
}
