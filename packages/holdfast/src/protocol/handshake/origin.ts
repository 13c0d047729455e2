import { parseAuthority } from "./authority.js";

/** Whose pages may connect: those of the server's own origin, everybody's, or those that are listed. */
export type AllowedOrigins = "same-origin" | "any" | readonly (string | RegExp)[];

/** The server as the client reached it: what an Origin is compared with. */
export interface Site {
  /** As in the Host header. */
  readonly host: string;
  readonly isSecure: boolean;
  /** Whether the client is on this machine. Asked only where the answer decides. */
  readonly isFromLoopback: () => boolean;
}

/**
 * Whether a page of `origin` may connect (RFC 6455 section 10.2). The caller lets requests without an Origin pass:
 * browsers always send one, and only browsers carry a user's cookies to where another site wants.
 */
export function isOriginAllowed(origin: string, site: Site, allowed: AllowedOrigins): boolean {
  if (allowed === "any") return true;
  if (allowed === "same-origin") return isSameOrigin(origin, site);
  // `search` starts at 0 whatever the flags of the expression, where `test` of a global one goes on from the last hit.
  return allowed.some((one) =>
    typeof one === "string" ? one.toLowerCase() === origin.toLowerCase() : origin.search(one) !== -1,
  );
}

/**
 * The same scheme, host and port (RFC 6454 section 5). On loopback, scheme and port do not count, and all names of
 * loopback are one host: a development server serves the page from a port of its own. That needs a client on this
 * machine and both names, so that neither a name that a DNS server points at 127.0.0.1 nor a proxy that rewrites Host
 * takes part in it. The origin `null`, of sandboxed pages and of files, is nobody's.
 */
function isSameOrigin(origin: string, { host, isSecure, isFromLoopback }: Site): boolean {
  const page = parseOrigin(origin);
  const server = parseAuthority(host);
  if (page === null || server === null) return false;
  if (isLoopbackName(page.hostname) && isLoopbackName(server.hostname) && isFromLoopback()) return true;
  return (
    page.isSecure === isSecure &&
    page.hostname === server.hostname &&
    page.port === (server.port ?? portOf(isSecure))
  );
}

/** A page's origin, complete with its port. */
export interface PageOrigin {
  readonly isSecure: boolean;
  readonly hostname: string;
  readonly port: number;
}

/** Null for what is no origin of the web. */
export function parseOrigin(origin: string): PageOrigin | null {
  const [, scheme = "", authority = ""] = ORIGIN.exec(origin) ?? [];
  const page = parseAuthority(authority);
  if (page === null) return null;
  const isSecure = /s$/i.test(scheme);
  return { isSecure, hostname: page.hostname, port: page.port ?? portOf(isSecure) };
}

/** Not `*.localhost`: some systems ask a DNS server for such names. */
export function isLoopbackName(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || IPV4_LOOPBACK.test(hostname);
}

export function portOf(isSecure: boolean): number {
  return isSecure ? 443 : 80;
}

const ORIGIN = /^(https?|wss?):\/\/([^/?#@]+)$/i;
const IPV4_LOOPBACK = /^127(?:\.(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])){3}$/;
