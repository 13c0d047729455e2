// The target of a redirect (RFC 9110 section 15.4), and the headers and TLS options that it may receive.

import { Buffer, isUtf8 } from "node:buffer";
import type { ConnectionOptions as TlsOptions } from "node:tls";
import { InvalidURLError } from "../shared/errors.js";
import type { HeaderField } from "../protocol/handshake/header-input.js";
import { quote } from "../shared/quote.js";
import { quoteURL, showURL } from "../shared/show-url.js";
import type { ResponseHead } from "../protocol/handshake/response-head.js";
import { parseWebSocketURL, type WebSocketURL } from "../protocol/handshake/url.js";

/** The URL to request, and the headers and TLS options for its server. */
export interface RequestTarget {
  readonly url: WebSocketURL;
  readonly headers: readonly HeaderField[];
  readonly tls: TlsOptions | undefined;
  /** Names of the headers that were dropped because a redirect led to another origin. */
  readonly withheld: readonly string[];
}

export interface RedirectPolicy {
  readonly subprotocols: readonly string[];
  /** Headers that the application allows to be sent to another origin. In lower case. */
  readonly redirectHeaders: ReadonlySet<string>;
}

export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/**
 * Returns the target of a redirect, or the end of an error message if the redirect cannot be followed.
 *
 * A different scheme, host or port is another origin, as in fetch and curl. Any of the application's headers may hold
 * credentials, so another origin receives only headers known to be harmless and those that the application allows.
 * Dropped headers stay dropped, even if a later redirect returns to the first origin.
 */
export function redirectTarget(
  from: RequestTarget,
  head: ResponseHead,
  { subprotocols, redirectHeaders }: RedirectPolicy,
): RequestTarget | string {
  const locations = head.headers.getAll("Location");
  if (locations.length !== 1)
    return `to have one header "Location", got ${locations.length === 0 ? "none" : locations.map(quoteURL).join(" and ")}`;
  const url = resolve(decode(locations[0]), from.url);
  if (typeof url === "string") return url;
  if (from.url.isSecure && !url.isSecure) {
    return `to stay with TLS, got ${showURL(url.href)}: what was sent in secret would go on in the clear`;
  }
  if (url.origin !== from.url.origin) {
    const secret = redirectHeaders.has("sec-websocket-protocol") ? undefined : subprotocols.find(mayBeSecret);
    if (secret === undefined) return crossOrigin(from, url, redirectHeaders);
    return `to stay on ${from.url.origin}, got ${showURL(url.href)}: a subprotocol looks like a credential. Connect to that URL directly, or name "Sec-WebSocket-Protocol" in \`redirectHeaders\``;
  }
  return { ...from, url: { ...url, authorization: url.authorization ?? from.url.authorization } };
}

/** Resolves a `Location`, which may be relative. Drops its fragment, and rejects URLs of Unix sockets. */
function resolve(location: string, base: WebSocketURL): WebSocketURL | string {
  const { origin, href, target } = base;
  // The URL parser cannot resolve against the URL of a Unix socket, so a placeholder host replaces it.
  const isUnix = base.socketPath !== null;
  const baseHref = isUnix ? UNIX_PLACEHOLDER + target : href;
  let resolved: URL;
  try {
    resolved = new URL(location, baseHref);
  } catch {
    return `to have a URL as its "Location", got ${quoteURL(location)}`;
  }
  if (!/^(?:wss?|https?):$/.test(resolved.protocol)) {
    return `to lead to a URL with the scheme ws: or wss: (or http:, https:), got ${quote(resolved.protocol)}`;
  }
  resolved.hash = "";
  const staysOnSocket = isUnix && resolved.origin === new URL(UNIX_PLACEHOLDER).origin;
  try {
    return parseWebSocketURL(staysOnSocket ? origin + resolved.pathname + resolved.search : resolved);
  } catch (error) {
    if (error instanceof InvalidURLError) return `to lead to a WebSocket server. ${error.message}`;
    throw error;
  }
}

/** `.invalid` never resolves (RFC 6761 section 6.4). */
const UNIX_PLACEHOLDER = "http://unix-socket.invalid";

/** Header values are bytes. Like browsers, decodes them as UTF-8 if they are valid UTF-8. */
function decode(location: string): string {
  const bytes = Buffer.from(location, "latin1");
  return isUtf8(bytes) ? bytes.toString("utf8") : location;
}

function crossOrigin(from: RequestTarget, url: WebSocketURL, allowed: ReadonlySet<string>): RequestTarget {
  const mayFollow = ([name]: HeaderField) => {
    const lowerCase = name.toLowerCase();
    return HARMLESS.has(lowerCase) || allowed.has(lowerCase);
  };
  const names = from.headers.filter((field) => !mayFollow(field)).map(([name]) => name);
  if (from.url.authorization !== null) names.push("Authorization");
  return {
    url,
    headers: from.headers.filter(mayFollow),
    tls: withoutIdentity(from.tls),
    withheld: [...new Set([...from.withheld, ...names.filter((name) => name.toLowerCase() !== "host")])],
  };
}

/** Headers without credentials or other private data. */
const HARMLESS: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "cache-control",
  "origin",
  "pragma",
  "user-agent",
]);

/** Pages cannot send headers, so some pass tokens as subprotocols. Real names are short and contain none of these words. */
function mayBeSecret(subprotocol: string): boolean {
  return subprotocol.length > LONGEST_NAME || SECRET_WORD.test(subprotocol);
}

const SECRET_WORD = /auth|bearer|credential|jwt|passw|secret|session|ticket|token|api[-_.]?key|^key$/i;
const LONGEST_NAME = 48;

/** Drops the client's certificate, its keys and the server name, which are meant for one origin. */
function withoutIdentity(tls: TlsOptions | undefined): TlsOptions | undefined {
  if (tls === undefined) return undefined;
  const kept = Object.entries(tls).filter(([name]) => !IDENTITY.has(name));
  return Object.fromEntries(kept);
}

const IDENTITY: ReadonlySet<string> = new Set([
  "cert",
  "clientCertEngine",
  "key",
  "passphrase",
  "pfx",
  "privateKeyEngine",
  "privateKeyIdentifier",
  "pskCallback",
  "secureContext",
  "servername",
  "session",
]);
