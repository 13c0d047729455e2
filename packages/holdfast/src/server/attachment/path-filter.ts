// Which requests of an HTTP server a WebSocket server takes.

import { invalidArgument } from "../../shared/option-checks.js";
import type { ServerRequest } from "../upgrade/server-request.js";

/** The path of URLs, without the query: this one, one that matches, or what a function says; undefined for all. */
export type PathFilter = string | RegExp | ((request: ServerRequest) => boolean) | undefined;

/** @throws InvalidArgumentError */
export function checkPathFilter(value: unknown): PathFilter {
  if (value === undefined || value instanceof RegExp || typeof value === "function")
    return value as PathFilter;
  if (typeof value === "string" && value.startsWith("/") && !/[?#]/.test(value)) return value;
  throw invalidArgument("path", 'a path such as "/chat", a RegExp or a function', value);
}

export function matchesPath(filter: PathFilter, request: ServerRequest): boolean {
  if (filter === undefined) return true;
  if (typeof filter === "function") return filter(request);
  const [path = ""] = request.target.split("?", 1);
  // `search` starts at 0 whatever the flags of the expression, where `test` of a global one goes on from the last hit.
  return typeof filter === "string" ? path === filter : path.search(filter) !== -1;
}
