// The head of a request that came over HTTP/2, in the words of our own parser.

import type { IncomingHttpHeaders } from "node:http2";
import { receivedFields } from "../../transport/node/http2-fields.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";

/** @param rawHeaders names and values as they came: `headers` lacks what Node joins or drops; other runtimes give none */
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
