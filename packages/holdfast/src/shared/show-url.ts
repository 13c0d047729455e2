// How errors and logs show a URL: without its query, in which applications pass tickets and tokens.

import { quote } from "./quote.js";

/** A URL, or the target of a request. Properties of the public surface, such as `connection.url`, keep the query. */
export function showURL(url: string): string {
  const start = url.indexOf("?");
  return start < 0 ? url : `${url.slice(0, start)}?…`;
}

/**
 * `text`, which was meant to be a URL, in quotes, without user info and query: everything up to the last "@" may be a
 * password, also where the text is not the URL that was meant.
 */
export function quoteURL(text: string): string {
  // The slashes are taken all or none: tried one by one, 64 KiB of them would take seconds.
  const shown = text.replace(/^( *[a-z][a-z0-9+.-]*:\/+(?!\/))?[^]*@/i, "$1");
  const query = shown.indexOf("?");
  return query < 0 ? quote(shown) : `${quote(shown.slice(0, query)).slice(0, -1)}?…"`;
}
