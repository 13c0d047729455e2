// Parses a URL as a page may open it (WHATWG WebSockets, section 3.1).

import { InvalidURLError } from "../shared/errors.js";
import { quoteURL } from "../shared/show-url.js";

export interface BrowserURL {
  readonly href: string;
  /** Path and query. */
  readonly target: string;
  /** The URL without its query, which may contain a token that changes each time. */
  readonly endpoint: string;
}

/**
 * Parses an absolute URL, or one relative to the page. `http:` and `https:` become `ws:` and `wss:`.
 *
 * @throws InvalidURLError
 */
export function parseBrowserURL(input: string | URL): BrowserURL {
  const text = String(input);
  const url = readURL(text);
  if (url === null) {
    throw new InvalidURLError(
      `Expected a URL such as "wss://example.com/chat" or "/chat", got ${quoteURL(text)}.`,
    );
  }
  const scheme = SCHEMES.get(url.protocol);
  if (scheme === undefined || url.host === "") {
    throw new InvalidURLError(
      `Expected a URL with the scheme ws: or wss: (or http:, https:) and a host, got ${quoteURL(text)}.`,
    );
  }
  if (url.href.includes("#")) {
    throw new InvalidURLError(
      `Expected a URL without a fragment (RFC 6455 section 3), got ${quoteURL(text)}.`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new InvalidURLError("Expected a URL without user info: browsers do not send any from a page.");
  }
  const endpoint = `${scheme}://${url.host}${url.pathname}`;
  return { href: endpoint + url.search, target: url.pathname + url.search, endpoint };
}

const SCHEMES: ReadonlyMap<string, string> = new Map([
  ["ws:", "ws"],
  ["http:", "ws"],
  ["wss:", "wss"],
  ["https:", "wss"],
]);

function readURL(text: string): URL | null {
  // eslint-disable-next-line no-control-regex -- the parser would drop line breaks silently
  if (/[\x00-\x1f\x7f]/.test(text)) return null;
  try {
    return new URL(text, typeof location === "undefined" ? undefined : location.href);
  } catch {
    return null;
  }
}
