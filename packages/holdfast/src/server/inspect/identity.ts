// How the inspector names a connection: without what may be secret.

import type { Connection } from "../../connection/connection.js";
import { showURL } from "../../shared/show-url.js";

/** Characters: a path may be as long as a request's head. */
const SHOWN_OF_PATH = 200;

/** A socket for both families calls an IPv4 address ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2). */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}

/** `10.0.0.7:51234`, `[::1]:51234`, or the path of a Unix socket; null if there is none. */
export function addressOf({ remoteAddress }: Pick<Connection, "remoteAddress">): string | null {
  if (remoteAddress === null) return null;
  const { port } = remoteAddress;
  const address = plainAddress(remoteAddress.address);
  if (port === 0) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The path that the client requested, without the query, in which applications pass tokens. */
export function pathOf({ url }: Pick<Connection, "url">): string {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  return showURL(start < 0 ? "/" : url.slice(start)).slice(0, SHOWN_OF_PATH);
}
