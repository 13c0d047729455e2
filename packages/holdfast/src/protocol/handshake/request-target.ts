// The path that a request target asks for.

import { defaultPort, parseAuthority } from "./authority.js";

/**
 * The path and query that a request asks `host` for (RFC 9112 section 3.2); null if the target has no path.
 *
 * - `/path?query` is returned unchanged. So is `//name/path`: it is a path with an empty first segment, which often comes
 *   from a doubled slash in a configuration. It is dangerous only if code resolves it as a reference, such as
 *   `new URL(target, base)`. Prepend the origin instead (`origin + target`).
 * - `scheme://host/path` (absolute-form) is reduced to the path if its host and port are those of the Host header.
 *   Section 3.2 requires a client to send the same host in both, and by section 3.2.2 the target overrides the header. If
 *   they differ, a proxy and this server might disagree about the host, so the result is null.
 * - `*`, `host:port` and a target with a fragment have no path.
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

/** Whether two authorities name the same host and port; `port` is the default for one without a port. */
export function isSameHost(left: string, right: string, port: number | null): boolean {
  const a = parseAuthority(left);
  const b = parseAuthority(right);
  return a !== null && b !== null && a.hostname === b.hostname && (a.port ?? port) === (b.port ?? port);
}

const ABSOLUTE_FORM = /^(https?|wss?):\/\/([^/?]*)(.*)$/i;
