// The head of a request that came over HTTP/2, in the words of our own parser.

import type { IncomingHttpHeaders } from "node:http2";
import { receivedFields } from "../../node/http2-fields.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";

export function streamHead(headers: IncomingHttpHeaders): RequestHead {
  const protocol = headers[":protocol"];
  return {
    method: headers[":method"] ?? "",
    target: headers[":path"] ?? "",
    minorVersion: 1,
    headers: receivedFields(headers),
    http2: { protocol: typeof protocol === "string" ? protocol : null },
  };
}
