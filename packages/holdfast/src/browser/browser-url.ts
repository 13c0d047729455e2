// Parses a URL as a page may open it (WHATWG WebSockets, section 3.1).

import { InvalidURLError } from "../shared/errors.js";
import { describe } from "../shared/option-checks.js";
import { quoteURL } from "../shared/show-url.js";

export interface BrowserURL {
  readonly href: string;
  /** Path and query. */
  readonly target: string;
  /** The URL without its query, which may contain a token that changes each time. */
  readonly endpoint: string;
}

/**
 * Parses an absolute URL, or one relative to the document. `http:` and `https:` become `ws:` and `wss:`.
 *
 * @throws InvalidURLError
 */
export function parseBrowserURL(input: string | URL): BrowserURL {
  const text = String(input);
  // A variable that is not set would name a path of the page: "/undefined".
  const isText = typeof input === "string" || (typeof input === "object" && !/^null$|^\[object /.test(text));
  const url = isText ? readURL(text) : null;
  if (url === null) {
    const got = isText ? quoteURL(text) : describe(input);
    throw new InvalidURLError(`Expected a URL such as "wss://example.com/chat" or "/chat", got ${got}.`);
  }
  const scheme = SCHEMES.get(url.protocol);
  if (scheme === undefined || HAS_NO_HOST.test(text)) {
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

/** The URL parser would accept `ws:host`, and read `ws:///path` and `///path` as `ws://path`. */
const HAS_NO_HOST = /^ *(?:(?:wss?|https?):(?!\/\/[^/\\])|[/\\]{3})/i;

const SCHEMES: ReadonlyMap<string, string> = new Map([
  ["ws:", "ws"],
  ["http:", "ws"],
  ["wss:", "wss"],
  ["https:", "wss"],
]);

/** As the browser's own WebSocket: the element `base` counts, and a frame with `srcdoc` has the URL of its parent. */
function baseURL(): string | undefined {
  if (typeof document !== "undefined") return document.baseURI;
  return typeof location === "undefined" ? undefined : location.href;
}

function readURL(text: string): URL | null {
  // eslint-disable-next-line no-control-regex -- the parser would drop line breaks silently
  if (/[\x00-\x1f\x7f]/.test(text)) return null;
  try {
    return new URL(text, baseURL());
  } catch {
    return null;
  }
}
