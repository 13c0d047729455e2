// From the requests of node:http to ours.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { headerList, readHeaders } from "../../protocol/handshake/header-input.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import { refuse } from "../../protocol/handshake/server-handshake.js";

/** Refuses a request whose end nobody knows. */
export const UNKNOWN_LENGTH = refuse(400, "Expected a Transfer-Encoding that ends with chunked.");

/** Refuses a request that `mayLackFields()`: among those that are missing may be one that says where the body ends. */
export const TOO_MANY_FIELDS = refuse(
  431,
  "Expected fewer header fields than the server's `maxHeadersCount`.",
);

/**
 * The head as our own parser would have read it. Not for requests that `mayLackFields()`.
 *
 * @throws InvalidHeaderError where the HTTP server was told to be lenient, and was
 */
export function headOf(request: IncomingMessage): RequestHead {
  return {
    method: request.method ?? "",
    target: request.url ?? "",
    minorVersion: request.httpVersionMinor,
    headers: headerList(readHeaders(fieldsOf(request))),
  };
}

/**
 * Whether Node may have dropped fields of it, a Content-Length among them: beyond `maxHeadersCount` it keeps none, and
 * does not say so. Without that setting it keeps 1,000 or a few more, half of what its documentation says.
 */
export function mayLackFields({ rawHeaders, socket }: IncomingMessage): boolean {
  // The parser has its limit from the time of its connection; it is gone once the request has become an upgrade.
  const { parser, server } = socket as {
    parser?: { maxHeaderPairs?: unknown } | null;
    server?: { maxHeadersCount?: unknown } | null;
  };
  let limit = DEFAULT_LIMIT;
  if (typeof server?.maxHeadersCount === "number") limit = 2 * server.maxHeadersCount;
  if (typeof parser?.maxHeaderPairs === "number") limit = parser.maxHeaderPairs;
  return limit > 0 && rawHeaders.length >= limit;
}

/** Names and values: Node counts both. */
const DEFAULT_LIMIT = 2000;

/** RFC 9112 section 6.3: with another coding at the end, nobody knows the body's. Node does not look where there is an Upgrade. */
export function hasKnownLength({ headers }: RequestHead): boolean {
  const codings = headers.get("Transfer-Encoding");
  return codings === null || /(?:^|,)[ \t]*chunked$/i.test(codings);
}

/** Whether it came over TLS. */
export function isEncrypted(socket: Duplex): boolean {
  return "encrypted" in socket && socket.encrypted === true;
}

/**
 * Calls back once the responses to the requests that the client sent ahead are out (RFC 9112 section 9.3.2); never
 * where the connection ends with one of them.
 */
export function afterResponses(socket: Duplex, callback: () => void): void {
  // Node has no documented way to the response that a socket is busy with.
  const { _httpMessage: response } = socket as { _httpMessage?: ServerResponse | null };
  if (response === undefined || response === null) {
    callback();
    return;
  }
  // Node has stopped listening to the socket: the response would wait for ever for the client to read.
  const onDrain = (): void => void response.emit("drain");
  socket.on("drain", onDrain);
  response.once("close", () => {
    socket.off("drain", onDrain);
    if (!socket.destroyed && !socket.writableEnded) afterResponses(socket, callback);
  });
}

function fieldsOf({ rawHeaders }: IncomingMessage): readonly (readonly [name: string, value: string])[] {
  const fields: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    fields.push([rawHeaders[index], rawHeaders[index + 1]]);
  }
  return fields;
}
