import { defaultPort, parseAuthority } from "./authority.js";

/**
 * The path and query that a request asks `host` for (RFC 9112 section 3.2), or null where it asks for none.
 *
 * - `/path?query` is taken as it is. So is `//name/path`: it is a path with an empty first segment, which a
 *   doubled slash in a configuration yields all the time. It is dangerous only to code that resolves it as a
 *   reference, such as `new URL(target, base)`: put the origin in front of it instead (`origin + target`).
 * - `scheme://host/path` (absolute-form) loses what stands before the path if its host and port are those of
 *   the Host header. Section 3.2.2 would have it override the header, and section 3.2 has a client send both
 *   alike: where they differ, a proxy and this server would not agree on whom the request is for.
 * - `*`, `host:port` and a fragment name no path.
 */
export function originForm(target: string, host: string): string | null {
  if (target.includes("#")) return null;
  if (target.startsWith("/")) return target;
  const match = ABSOLUTE_FORM.exec(target);
  if (match === null) return null;
  const [, scheme = "", authority = "", path = ""] = match;
  if (!isSameHost(authority, host, defaultPort(scheme))) return null;
  return path.startsWith("/") ? path : `/${path}`;
}

/** Whether two authorities name the same host and port; `port` is the one that either may leave out. */
export function isSameHost(left: string, right: string, port: number | null): boolean {
  const a = parseAuthority(left);
  const b = parseAuthority(right);
  return a !== null && b !== null && a.hostname === b.hostname && (a.port ?? port) === (b.port ?? port);
}

const ABSOLUTE_FORM = /^(https?|wss?):\/\/([^/?]*)(.*)$/i;
