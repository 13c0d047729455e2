// Converts the head of an HTTP/2 request to the form of the library's own parser.

import type { IncomingHttpHeaders } from "node:http2";
import { receivedFields } from "../../transport/node/http2-fields.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";

/**
 * @param rawHeaders names and values as received; `headers` lacks the fields that Node joins or drops. Other runtimes
 * provide none
 */
export function streamHead(headers: IncomingHttpHeaders, rawHeaders?: readonly string[]): RequestHead {
  const protocol = headers[":protocol"];
  return {
    method: headers[":method"] ?? "",
    target: headers[":path"] ?? "",
    minorVersion: 1,
    headers: receivedFields(headers, rawHeaders),
    http2: { protocol: typeof protocol === "string" ? protocol : null },
  };
}
