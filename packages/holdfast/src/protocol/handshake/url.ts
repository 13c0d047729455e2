import { Buffer } from "node:buffer";
import { InvalidURL } from "../errors.js";
import { quote } from "./quote.js";

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
}

/**
 * Reads the URL of a WebSocket server. `http:` and `https:` stand for `ws:` and `wss:`.
 *
 * @throws {InvalidURL} for another scheme, a fragment, an empty host, control characters, or what is no URL at all.
 *   The message never shows the user info; nor is the error of the URL parser, which holds all, given as the cause.
 */
export function parseWebSocketURL(input: string | URL): WebSocketURL {
  const text = String(input);
  checkCharacters(text);
  checkStart(text);
  const url = readURL(text);
  if (url === null)
    throw new InvalidURL(`Expected a URL such as "wss://example.com/chat", got ${redact(text)}.`);
  // An empty fragment leaves `hash` empty, but its "#" in the href (which escapes any other "#").
  if (url.href.includes("#")) {
    throw new InvalidURL(`Expected a URL without a fragment (RFC 6455 section 3), got ${redact(text)}.`);
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
    authorization: basicAuthorization(url),
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
  const index = text.search(CONTROL_CHARACTER);
  if (index === -1) return;
  const code = text.charCodeAt(index).toString(16).toUpperCase().padStart(4, "0");
  throw new InvalidURL(`Expected a URL without control characters, got U+${code} at index ${index}.`);
}

/** The URL parser would take `ws:host`, and read `ws:///path`, whose host is empty, as `ws://path`. */
function checkStart(text: string): void {
  if (/^ *(?:wss?|https?):\/\/[^/\\]/i.test(text)) return;
  const scheme = /^ *([a-z][a-z0-9+.-]*):/i.exec(text)?.[1];
  if (scheme === undefined) {
    throw new InvalidURL(`Expected an absolute URL such as "wss://example.com/chat", got ${redact(text)}.`);
  }
  if (/^(?:wss?|https?)$/i.test(scheme)) {
    throw new InvalidURL(`Expected a host after "${scheme.toLowerCase()}://", got ${redact(text)}.`);
  }
  throw new InvalidURL(`Expected a URL with the scheme ws: or wss: (or http:, https:), got ${redact(text)}.`);
}

/**
 * Everything up to the last "@" may be a password, also where the text is not the URL that was meant.
 * The slashes are taken all or none: tried one by one, 64 KiB of them would take seconds.
 */
function redact(text: string): string {
  return quote(text.replace(/^( *[a-z][a-z0-9+.-]*:\/+(?!\/))?[^]*@/i, "$1"));
}

function basicAuthorization(url: URL): string | null {
  if (url.username === "" && url.password === "") return null;
  const username = decodeUserInfo(url.username);
  const password = decodeUserInfo(url.password);
  // RFC 7617 section 2: what is behind the first colon is the password.
  if (username.includes(":")) {
    throw new InvalidURL(
      "Expected a user name without a colon in the URL, as Basic authentication cannot carry one.",
    );
  }
  return `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`;
}

function decodeUserInfo(encoded: string): string {
  const decoded = decodePercents(encoded);
  if (decoded === null || CONTROL_CHARACTER.test(decoded)) {
    throw new InvalidURL(
      "Expected user info of percent-encoded UTF-8 without control characters in the URL, got something else.",
    );
  }
  return decoded;
}

function decodePercents(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null; // Not UTF-8, or a lone "%".
  }
}

// eslint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL_CHARACTER = /[\x00-\x1f\x7f]/;
