// Shows URLs in errors and logs without their query, in which applications pass tickets and tokens.

import { quote } from "./quote.js";

/** Hides the query of a URL or a request target. Public properties such as `connection.url` keep the query. */
export function showURL(url: string): string {
  const start = url.indexOf("?");
  return start < 0 ? url : `${url.slice(0, start)}?…`;
}

/**
 * Quotes a text that should be a URL, without user info and query. Everything up to the last "@" may be a password, even
 * if the text is not a valid URL.
 */
export function quoteURL(text: string): string {
  // The expression matches all slashes or none: with backtracking, 64 KiB of slashes would take seconds.
  const shown = text.replace(/^( *[a-z][a-z0-9+.-]*:\/+(?!\/))?[^]*@/i, "$1");
  const query = shown.indexOf("?");
  return query < 0 ? quote(shown) : `${quote(shown.slice(0, query)).slice(0, -1)}?…"`;
}
