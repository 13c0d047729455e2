// Answers some plain HTTP requests of the application's HTTP server before its own routes get them.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server as NetServer } from "node:net";
import { ignore } from "../../shared/deferred.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import { closing } from "../../protocol/handshake/server-responses.js";
import { streamHead } from "../http2/stream-head.js";
import { FAILED, type Decision } from "../upgrade/admission-policy.js";
import { interceptEvents, type StreamArguments } from "./event-interception.js";
import { headOf, mayLackFields } from "./http-request.js";
import type { UpgradeStream } from "./upgrade-router.js";

/** Each returns whether it answers the request. */
export interface PlainRequestHandler {
  onRequest(request: IncomingMessage, response: ServerResponse): boolean;
  onStream(request: UpgradeStream, head: RequestHead): boolean;
}

/** Offers each request to the handler first. Returns a function that ends that. */
export function interceptRequests(httpServer: NetServer, handler: PlainRequestHandler): () => void {
  const isHttp2 = "updateSettings" in httpServer;
  return interceptEvents(httpServer, (event, args) => {
    if (event === "stream" && isHttp2) {
      const [stream, headers, , rawHeaders] = args as StreamArguments;
      const source = { kind: "stream", stream, headers, rawHeaders } as const;
      return handler.onStream(source, streamHead(headers, rawHeaders)) ? ignore : null;
    }
    if (event !== "request" || (args[0] as Partial<IncomingMessage>).httpVersionMajor !== 1) return null;
    return handler.onRequest(...(args as [IncomingMessage, ServerResponse])) ? ignore : null; // As Node passes them.
  });
}

/** Null for a request that the library would refuse. */
export function headOrNull(request: IncomingMessage): RequestHead | null {
  if (mayLackFields(request)) return null;
  try {
    return headOf(request);
  } catch {
    return null;
  }
}

/** Sends the decision as the answer to a request of `node:http`. */
export async function respond(response: ServerResponse, decision: Decision): Promise<void> {
  if (decision.outcome === "answer") {
    const { status, headers, body } = decision.response;
    for (const [name, value] of headers) response.appendHeader(name, value);
    if (headers.has("Upgrade")) response.setHeader("Connection", "Upgrade"); // RFC 9110 section 7.8.
    response.writeHead(status);
    response.end(body === null ? undefined : Buffer.from(await decision.response.arrayBuffer()));
    return;
  }
  const { status, headers, body } = decision.outcome === "refuse" ? decision : FAILED;
  response.writeHead(status, {
    ...headers,
    "Content-Type": "text/plain; charset=utf-8",
    Connection: closing(Object.entries(headers))[1],
  });
  response.end(body);
}
