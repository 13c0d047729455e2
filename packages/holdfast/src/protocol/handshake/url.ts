import { findControlCharacter } from "../../shared/control-characters.js";
import { InvalidURLError } from "../../shared/errors.js";
import { isUnixURL, parseUnixURL } from "./unix-url.js";
import { basicAuthorization, readUserInfo } from "./user-info.js";
import { quoteURL } from "../../shared/show-url.js";

/** Where a WebSocket server is (RFC 6455 section 3), taken apart for those who connect, write headers and log. */
export interface WebSocketURL {
  /** The whole URL, with the scheme ws or wss and without user info: safe to log. */
  readonly href: string;
  /** Whether the connection is made over TLS. */
  readonly isSecure: boolean;
  /** What to connect to: an IPv6 address stands without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** The Host header: an IPv6 address in brackets, the default port left out. */
  readonly host: string;
  /** Scheme, host and port, such as `wss://example.com`: two URLs with the same origin share credentials. */
  readonly origin: string;
  /** Path and query; "/" where the path is empty. */
  readonly target: string;
  /** The Authorization header that the user info asks for (Basic, RFC 7617, in UTF-8). */
  readonly authorization: string | null;
  /** The path of the Unix socket that the server listens on; null where it listens on `hostname` and `port`. */
  readonly socketPath: string | null;
}

/**
 * Reads the URL of a WebSocket server. `http:` and `https:` stand for `ws:` and `wss:`; `ws+unix:` and
 * `wss+unix:` name a Unix socket (unix-url.ts).
 *
 * @throws {InvalidURLError} for another scheme, a fragment, an empty host, control characters, or what is no URL at all.
 *   The message never shows the user info; nor is the error of the URL parser, which holds all, given as the cause.
 */
export function parseWebSocketURL(input: string | URL): WebSocketURL {
  const text = String(input);
  checkCharacters(text);
  if (isUnixURL(text)) return parseUnixURL(text);
  checkStart(text);
  const url = readURL(text);
  if (url === null)
    throw new InvalidURLError(`Expected a URL such as "wss://example.com/chat", got ${quoteURL(text)}.`);
  // An empty fragment leaves `hash` empty, but its "#" in the href (which escapes any other "#").
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

/** `URL.canParse` will not do: in Node 20 it misreads text beyond ASCII once it has been called a few thousand times. */
function readURL(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

/** The URL parser would drop line breaks silently, and so put together what the caller kept apart. */
function checkCharacters(text: string): void {
  const index = findControlCharacter(text);
  if (index === -1) return;
  const code = text.charCodeAt(index).toString(16).toUpperCase().padStart(4, "0");
  throw new InvalidURLError(`Expected a URL without control characters, got U+${code} at index ${index}.`);
}

/** The URL parser would take `ws:host`, and read `ws:///path`, whose host is empty, as `ws://path`. */
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
