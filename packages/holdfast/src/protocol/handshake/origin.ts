import { defaultPort, parseAuthority } from "./authority.js";

/** Whose pages may connect: those of the server's own host, everybody's, or those that are listed. */
export type AllowedOrigins = "same-origin" | "any" | readonly (string | RegExp)[];

/**
 * Whether a page of `origin` may connect to `host` (RFC 6455 section 10.2). The caller lets requests without an
 * Origin pass: browsers always send one, and only browsers carry a user's cookies to where another site wants.
 */
export function isOriginAllowed(
  origin: string,
  host: string,
  isSecure: boolean,
  allowed: AllowedOrigins,
): boolean {
  if (allowed === "any") return true;
  if (allowed === "same-origin") return isSameOrigin(origin, host, isSecure);
  // `search` starts at 0 whatever the flags of the expression, where `test` of a global one goes on from the last hit.
  return allowed.some((one) =>
    typeof one === "string" ? one.toLowerCase() === origin.toLowerCase() : origin.search(one) !== -1,
  );
}

/**
 * The same host and port. The scheme is not compared: behind a proxy that ends TLS, the server cannot know
 * which one the page used. For the same reason the default port of either scheme is as good as none.
 * The origin `null`, of sandboxed pages and of files, is nobody's.
 */
function isSameOrigin(origin: string, host: string, isSecure: boolean): boolean {
  const [, scheme = "", authority = ""] = ORIGIN.exec(origin) ?? [];
  const page = parseAuthority(authority);
  const server = parseAuthority(host);
  if (page === null || page.hostname !== server?.hostname) return false;

  const pageDefault = defaultPort(scheme);
  const pagePort = page.port ?? pageDefault;
  if (pagePort === (server.port ?? pageDefault)) return true;
  return pagePort === pageDefault && server.port === defaultPort(isSecure ? "https" : "http");
}

const ORIGIN = /^(https?|wss?):\/\/([^/?#@]+)$/i;
