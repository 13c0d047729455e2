// Where a redirect leads (RFC 9110 section 15.4), and what may travel along.

import { Buffer, isUtf8 } from "node:buffer";
import type { ConnectionOptions as TlsOptions } from "node:tls";
import { InvalidURLError } from "../shared/errors.js";
import type { HeaderField } from "../protocol/handshake/header-input.js";
import { quote } from "../shared/quote.js";
import { quoteURL, showURL } from "../shared/show-url.js";
import type { ResponseHead } from "../protocol/handshake/response-head.js";
import { parseWebSocketURL, type WebSocketURL } from "../protocol/handshake/url.js";

/** What is asked for, and what is shown of who asks. */
export interface RedirectTarget {
  readonly url: WebSocketURL;
  readonly headers: readonly HeaderField[];
  readonly tls: TlsOptions | undefined;
  /** The credentials that were meant for another origin, and left out on the way here: names of headers. */
  readonly withheld: readonly string[];
}

export interface RedirectTerms {
  readonly subprotocols: readonly string[];
  /** In lower case: headers that the application lets follow to another origin. */
  readonly redirectHeaders: ReadonlySet<string>;
}

export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/**
 * The destination behind a redirect, or the end of the sentence that says why it cannot be followed.
 *
 * Another scheme, host or port is another origin, as for fetch and curl. It gets none of the application's headers that
 * may be credentials, which any name may hide: only those that are known to carry none, and those that the application
 * lets follow. From there the others do not come back, wherever it leads.
 */
export function follow(
  from: RedirectTarget,
  head: ResponseHead,
  { subprotocols, redirectHeaders }: RedirectTerms,
): RedirectTarget | string {
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

/** A location may be relative, may have a fragment, which says nothing to a server, and leads to the network only. */
function resolve(location: string, base: WebSocketURL): WebSocketURL | string {
  const { origin, href, target } = base;
  // The URL of a Unix socket is opaque to the URL parser: any host stands in for it.
  const isUnix = base.socketPath !== null;
  const baseHref = isUnix ? UNIX_STAND_IN + target : href;
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
  const staysOnSocket = isUnix && resolved.origin === new URL(UNIX_STAND_IN).origin;
  try {
    return parseWebSocketURL(staysOnSocket ? origin + resolved.pathname + resolved.search : resolved);
  } catch (error) {
    if (error instanceof InvalidURLError) return `to lead to a WebSocket server. ${error.message}`;
    throw error;
  }
}

/** Nobody can have a name below `.invalid` (RFC 6761 section 6.4). */
const UNIX_STAND_IN = "http://unix-socket.invalid";

/** Field values are bytes; those of a URL are UTF-8 if they can be, as in browsers. */
function decode(location: string): string {
  const bytes = Buffer.from(location, "latin1");
  return isUtf8(bytes) ? bytes.toString("utf8") : location;
}

function crossOrigin(from: RedirectTarget, url: WebSocketURL, allowed: ReadonlySet<string>): RedirectTarget {
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

/** Headers that carry no credentials, and say nothing that another server should not know. */
const HARMLESS: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "cache-control",
  "origin",
  "pragma",
  "user-agent",
]);

/** Pages cannot send headers, and pass tokens as subprotocols; names of protocols are short, and have none of these words. */
function mayBeSecret(subprotocol: string): boolean {
  return subprotocol.length > LONGEST_NAME || SECRET_WORD.test(subprotocol);
}

const SECRET_WORD = /auth|bearer|credential|jwt|passw|secret|session|ticket|token|api[-_.]?key|^key$/i;
const LONGEST_NAME = 48;

/** The client's certificate, its keys and the server's name belong to the origin that they were given for. */
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
