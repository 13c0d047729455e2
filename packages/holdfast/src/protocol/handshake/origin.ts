// The option `origins` of servers: pages of which origins may connect (RFC 6455 section 10.2).

import { defaultPort, parseAuthority } from "./authority.js";

/** Pages that may connect: those of the server's own origin, all pages, or those of the listed origins. */
export type AllowedOrigins = "same-origin" | "any" | readonly (string | RegExp)[];

/** The pages that a request admits; `"own-page"` is the server's own origin to the letter, also on loopback. */
export type OriginRule = AllowedOrigins | "own-page";

/** The server as the client addressed it, to compare an Origin with. */
export interface Site {
  /** As in the Host header. */
  readonly host: string;
  readonly isSecure: boolean;
  /** Whether the client is on this machine. Called only if the decision depends on it. */
  readonly isFromLoopback: () => boolean;
}

/**
 * Whether a page of `origin` may connect (RFC 6455 section 10.2). The caller accepts requests without an Origin: browsers
 * always send one, and only browsers send a user's cookies on behalf of another site.
 */
export function isOriginAllowed(origin: string, site: Site, allowed: OriginRule): boolean {
  if (allowed === "any") return true;
  if (allowed === "same-origin" || allowed === "own-page") return isSameOrigin(origin, site, allowed);
  const normalized = normalizeOrigin(origin);
  // Use `search`, which always starts at 0: `test` with a global expression continues after its last match.
  return allowed.some((one) => (typeof one === "string" ? one === normalized : origin.search(one) !== -1));
}

/**
 * Parses an entry of the option, for `isOriginAllowed()`; null if no page can have this origin. The result is the form
 * that browsers send: an IP address is shortened, and Unicode in a name is encoded.
 */
export function parseOriginRule(entry: string): string | null {
  if (entry === "null") return entry;
  const [origin = "", scheme = ""] = RULE.exec(entry) ?? [];
  if (origin === "") return null;
  if (defaultPort(scheme) === null) return normalizeOrigin(origin);
  return URL.canParse(origin) ? new URL(origin).origin : null;
}

/** In lower case, and without the default port of the scheme, as browsers send it (RFC 6454 section 6.2). */
function normalizeOrigin(origin: string): string {
  const page = parseOrigin(origin);
  const text = origin.toLowerCase();
  if (page === null) return text;
  const port = page.port === portOf(page.isSecure) ? "" : `:${page.port}`;
  return `${text.slice(0, text.indexOf("://"))}://${page.hostname}${port}`;
}

/**
 * The same scheme, host and port (RFC 6454 section 5). With `"same-origin"` on loopback, scheme and port are ignored, and
 * all loopback names are one host, because a development server serves the page from another port. This requires that the
 * client is on this machine and that both names are loopback names. So it cannot be exploited by a DNS name that points at
 * 127.0.0.1 or through a proxy that rewrites Host. The origin `null`, of sandboxed pages and files, never matches.
 */
function isSameOrigin(
  origin: string,
  { host, isSecure, isFromLoopback }: Site,
  rule: "same-origin" | "own-page",
): boolean {
  const page = parseOrigin(origin);
  const server = parseAuthority(host);
  if (page === null || server === null) return false;
  const isSame =
    page.isSecure === isSecure &&
    page.hostname === server.hostname &&
    page.port === (server.port ?? portOf(isSecure));
  if (isSame || rule === "own-page") return isSame;
  // The address of the client costs two system calls, so it comes last.
  return isLoopbackName(page.hostname) && isLoopbackName(server.hostname) && isFromLoopback();
}

/** The origin of a page, with its port. */
export interface PageOrigin {
  readonly isSecure: boolean;
  readonly hostname: string;
  readonly port: number;
}

/** Null if the text is not an HTTP or WebSocket origin. */
export function parseOrigin(origin: string): PageOrigin | null {
  const [, scheme = "", authority = ""] = ORIGIN.exec(origin) ?? [];
  const page = parseAuthority(authority);
  if (page === null) return null;
  const isSecure = /s$/i.test(scheme);
  return { isSecure, hostname: page.hostname, port: page.port ?? portOf(isSecure) };
}

/** Does not include `*.localhost`, which some systems resolve through a DNS server. */
export function isLoopbackName(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || IPV4_LOOPBACK.test(hostname);
}

export function portOf(isSecure: boolean): number {
  return isSecure ? 443 : 80;
}

const ORIGIN = /^(https?|wss?):\/\/([^/?#@]+)$/i;
/** The origin of a page, of any scheme, such as that of a browser's extension; a final slash does not belong to it. */
const RULE = /^(?!wss?:)([a-z][a-z0-9+.-]*):\/\/[^\s/\\?#@*]*(?=\/?$)/i;
const IPV4_LOOPBACK = /^127(?:\.(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])){3}$/;
