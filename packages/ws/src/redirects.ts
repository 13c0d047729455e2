// The headers of a redirected request. Credentials stay with the host that they were meant for, as in curl, unless the
// application listens to `redirect` and decides itself.

import type { OutgoingHttpHeaders } from "node:http";

/** The application's headers and credentials, and where the first request went. */
export interface FirstRequest {
  readonly headers: OutgoingHttpHeaders;
  readonly auth: string | undefined;
  readonly host: string;
  readonly isIpc: boolean;
  readonly isSecure: boolean;
}

export interface Carried {
  readonly headers: OutgoingHttpHeaders;
  readonly auth: string | undefined;
}

export interface RedirectTarget {
  readonly socketPath: string | undefined;
  readonly mayDrop: boolean;
  /** The credentials in the URL, or those of the option `auth`. */
  readonly userInfo: string | undefined;
}

export function redirectedHeaders(
  first: FirstRequest,
  url: URL,
  { socketPath, mayDrop, userInfo }: RedirectTarget,
): Carried {
  const headers = { ...first.headers };
  // The first credentials count: those in the URL of a redirect do not replace them.
  if (first.auth !== undefined) headers.authorization ??= basic(first.auth);
  let auth = headers.authorization === undefined ? userInfo : undefined;
  if (mayDrop) {
    const isIpc = socketPath !== undefined;
    const isSameHost = isIpc === first.isIpc && (socketPath ?? url.host) === first.host;
    if (!isSameHost || (first.isSecure && url.protocol !== "wss:")) {
      delete headers.authorization;
      delete headers.cookie;
      if (!isSameHost) delete headers.host;
      auth = undefined;
    }
  }
  return { headers, auth };
}

/** Splits the path of a `ws+unix:` URL into the socket's and the request's, which follows a colon. */
export function splitIpcPath(path: string): readonly [socketPath: string, path: string] {
  const colon = path.indexOf(":");
  return colon < 0 ? [path, "/"] : [path.slice(0, colon), path.slice(colon + 1)];
}

function basic(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString("base64")}`;
}
