// Converts requests of node:http to the library's own form.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { headerList, readHeaders } from "../../protocol/handshake/header-input.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import { refuse } from "../../protocol/handshake/server-handshake.js";

/** The refusal of a request whose body has no recognisable end. */
export const UNKNOWN_LENGTH = refuse(400, "Expected a Transfer-Encoding that ends with chunked.");

/** The refusal of a request that `mayLackFields()`: a missing field may be one that defines the length of the body. */
export const TOO_MANY_FIELDS = refuse(
  431,
  "Expected fewer header fields than the server's `maxHeadersCount`.",
);

/**
 * Returns the head as the library's own parser would read it. Not for requests that `mayLackFields()`.
 *
 * @throws InvalidHeaderError if the HTTP server's lenient parser accepted an invalid header
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
 * Whether Node may have dropped fields, such as a Content-Length: it silently drops those beyond `maxHeadersCount`.
 * Without that setting it keeps 1,000 or a few more, half of what its documentation says.
 */
export function mayLackFields({ rawHeaders, socket }: IncomingMessage): boolean {
  // The parser keeps the limit that applied when the client connected; after an upgrade, the socket has no parser.
  const { parser, server } = socket as {
    parser?: { maxHeaderPairs?: unknown } | null;
    server?: { maxHeadersCount?: unknown } | null;
  };
  let limit = DEFAULT_LIMIT;
  if (typeof server?.maxHeadersCount === "number") limit = 2 * server.maxHeadersCount;
  if (typeof parser?.maxHeaderPairs === "number") limit = parser.maxHeaderPairs;
  return limit > 0 && rawHeaders.length >= limit;
}

/** Counts names and values, as Node does. */
const DEFAULT_LIMIT = 2000;

/**
 * RFC 9112 section 6.3: the length of the body is unknown unless the last coding is chunked. Node does not check this
 * in requests with an Upgrade.
 */
export function hasKnownLength({ headers }: RequestHead): boolean {
  const codings = headers.get("Transfer-Encoding");
  return codings === null || /(?:^|,)[ \t]*chunked$/i.test(codings);
}

/** Whether the request arrived over TLS. */
export function isEncrypted(socket: Duplex): boolean {
  return "encrypted" in socket && socket.encrypted === true;
}

/**
 * Calls back once the responses to the client's earlier (pipelined) requests have been written (RFC 9112 section
 * 9.3.2); never if one of them closes the connection.
 */
export function afterResponses(socket: Duplex, callback: () => void): void {
  // Node has no documented way to the response that is being written to a socket.
  const { _httpMessage: response } = socket as { _httpMessage?: ServerResponse | null };
  if (response === undefined || response === null) {
    callback();
    return;
  }
  // Node no longer listens to the socket: without this event the response would wait for ever, and an error of the
  // socket would end the process.
  const onDrain = (): void => void response.emit("drain");
  const onError = (): void => void socket.destroy();
  socket.on("drain", onDrain).on("error", onError);
  response.once("close", () => {
    socket.off("drain", onDrain).off("error", onError);
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
