// Parses WebSocket URLs.

import { findControlCharacter } from "../../shared/control-characters.js";
import { InvalidURLError } from "../../shared/errors.js";
import { isUnixURL, parseUnixURL } from "./unix-url.js";
import { basicAuthorization, readUserInfo } from "./user-info.js";
import { quoteURL } from "../../shared/show-url.js";

/** The parts of a WebSocket URL (RFC 6455 section 3) for connecting, headers and logs. */
export interface WebSocketURL {
  /** The whole URL with the scheme ws or wss, without user info. */
  readonly href: string;
  /** Whether the connection uses TLS. */
  readonly isSecure: boolean;
  /** The host to connect to; an IPv6 address without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** The Host header: an IPv6 address in brackets, the default port omitted. */
  readonly host: string;
  /** Scheme, host and port, such as `wss://example.com`: two URLs with the same origin share credentials. */
  readonly origin: string;
  /** Path and query; "/" if the path is empty. */
  readonly target: string;
  /** The Authorization header for the user info (Basic, RFC 7617, in UTF-8); null without user info. */
  readonly authorization: string | null;
  /** The path of the Unix socket that the server listens on; null for a server at `hostname` and `port`. */
  readonly socketPath: string | null;
}

/**
 * Parses the URL of a WebSocket server. `http:` and `https:` mean `ws:` and `wss:`; `ws+unix:` and `wss+unix:` name a Unix
 * socket (unix-url.ts).
 *
 * @throws {InvalidURLError} for another scheme, a fragment, an empty host, control characters, or an invalid URL. The
 *   message never shows the user info. The URL parser's error contains the whole text, so it is not set as the cause.
 */
export function parseWebSocketURL(input: string | URL): WebSocketURL {
  const text = String(input);
  checkCharacters(text);
  if (isUnixURL(text)) return parseUnixURL(text);
  checkStart(text);
  const url = readURL(text);
  if (url === null)
    throw new InvalidURLError(`Expected a URL such as "wss://example.com/chat", got ${quoteURL(text)}.`);
  // An empty fragment leaves `hash` empty, but its "#" remains in `href`, which escapes any other "#".
  if (url.href.includes("#")) {
    throw new InvalidURLError(
      `Expected a URL without a fragment (RFC 6455 section 3), got ${quoteURL(text)}.`,
    );
  }

  const isSecure = url.protocol === "wss:" || url.protocol === "https:";
  const origin = `${isSecure ? "wss" : "ws"}://${url.host}`;
  const target = url.pathname + url.search;
  return {
    href: origin + target,
    isSecure,
    hostname: url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname,
    port: url.port === "" ? (isSecure ? 443 : 80) : Number(url.port),
    host: url.host,
    origin,
    target,
    authorization: authorizationOf(url),
    socketPath: null,
  };
}

/** Null for an invalid URL. Does not use `URL.canParse`: Node 20 gets non-ASCII text wrong after a few thousand calls. */
export function readURL(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

/** Rejects control characters: the URL parser would silently remove line breaks and join the lines. */
function checkCharacters(text: string): void {
  const index = findControlCharacter(text);
  if (index === -1) return;
  const code = text.charCodeAt(index).toString(16).toUpperCase().padStart(4, "0");
  throw new InvalidURLError(`Expected a URL without control characters, got U+${code} at index ${index}.`);
}

/** Requires `scheme://host`: the URL parser would accept `ws:host`, and read `ws:///path` as `ws://path`. */
function checkStart(text: string): void {
  if (/^ *(?:wss?|https?):\/\/[^/\\]/i.test(text)) return;
  const scheme = /^ *([a-z][a-z0-9+.-]*):/i.exec(text)?.[1];
  if (scheme === undefined) {
    throw new InvalidURLError(
      `Expected an absolute URL such as "wss://example.com/chat", got ${quoteURL(text)}.`,
    );
  }
  if (/^(?:wss?|https?)$/i.test(scheme)) {
    throw new InvalidURLError(`Expected a host after "${scheme.toLowerCase()}://", got ${quoteURL(text)}.`);
  }
  throw new InvalidURLError(
    `Expected a URL with the scheme ws: or wss: (or http:, https:), got ${quoteURL(text)}.`,
  );
}

function authorizationOf(url: URL): string | null {
  const userInfo = readUserInfo(url);
  return userInfo === null ? null : basicAuthorization(userInfo);
}
