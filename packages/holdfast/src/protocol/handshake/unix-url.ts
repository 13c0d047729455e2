// Parses the URL of a server on a Unix socket: `ws+unix:/run/chat.sock:/path?query`, or `wss+unix:` for TLS. The socket's
// path is percent-encoded and ends at the next colon (a colon in it is %3A). An abstract socket of Linux begins with %00.
// The request's path and query follow.
// There is no standard; this is the form that Node's WebSocket libraries share.

import { hasControlCharacter } from "../../shared/control-characters.js";
import { InvalidURLError } from "../../shared/errors.js";
import type { WebSocketURL } from "./url.js";
import { decodePercents } from "./user-info.js";
import { quoteURL } from "../../shared/show-url.js";

/** Whether `text` has the scheme of a Unix socket's URL. */
export function isUnixURL(text: string): boolean {
  return /^ *wss?\+unix:/i.test(text);
}

/**
 * Parses the URL. `text` must not contain control characters.
 *
 * @throws {InvalidURLError} if the path of the socket is missing, relative or malformed, and for a fragment
 */
export function parseUnixURL(text: string): WebSocketURL {
  if (text.includes("#")) {
    throw new InvalidURLError(
      `Expected a URL without a fragment (RFC 6455 section 3), got ${quoteURL(text)}.`,
    );
  }
  const [, scheme = "", encodedPath = "", path = "/", query = ""] = UNIX_URL.exec(text.trim()) ?? [];
  const socketPath = readPath(encodedPath);
  const target = readTarget(path, query);
  if (socketPath === null || target === null) {
    throw new InvalidURLError(
      `Expected the absolute path of a socket and a request, as in "ws+unix:/run/chat.sock:/path?query", got ${quoteURL(text)}.`,
    );
  }
  const isSecure = scheme.toLowerCase() === "wss";
  const origin = `${unixURL(isSecure, socketPath)}:`;
  return {
    href: origin + target,
    isSecure,
    hostname: "localhost",
    port: isSecure ? 443 : 80,
    host: "localhost",
    origin,
    target,
    authorization: null,
    socketPath,
  };
}

/** The URL of a server on the socket, without a request. */
export function unixURL(isSecure: boolean, socketPath: string): string {
  const path = socketPath.replace(/^\/+/, "/").split("/").map(encodeURIComponent).join("/");
  return `${isSecure ? "wss" : "ws"}+unix:${path}`;
}

/** Scheme, path of the socket, path of the request, query. `//` before the path is an empty host. */
const UNIX_URL = /^(wss?)\+unix:(?:\/\/)?(\/(?!\/)[^:?]+|%00[^:?]+)(?::(\/[^?]*)?)?(\?.*)?$/i;

/** Null if no socket can have the path. A lone surrogate is rejected because it cannot be percent-encoded. */
function readPath(encoded: string): string | null {
  // Merge slashes at the start (`/%2Frun`): when the URL is written again, they would mean an empty host.
  const path = decodePercents(encoded)?.replace(/^\/+/, "/") ?? null;
  const isPossible =
    path !== null && path.length > 1 && !hasControlCharacter(path.slice(1)) && !/\p{Cs}/u.test(path);
  return isPossible ? path : null;
}

/** Path and query, escaped as in any other URL. */
function readTarget(path: string, query: string): string | null {
  try {
    const url = new URL(`http://localhost${path}${query}`);
    return url.pathname + url.search;
  } catch {
    return null;
  }
}
