// Writes the three kinds of response to a request on an HTTP/2 stream.

import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { fieldsToSend } from "../../transport/node/http2-fields.js";
import { readHeaders, type HeaderField } from "../../protocol/handshake/header-input.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import type { Refusal } from "../../protocol/handshake/server-handshake.js";
import type { UpgradeResponse } from "../../protocol/handshake/server-responses.js";
import type { ResponseWriter, PreparedResponse } from "../response/response-writer.js";
import { checkResponse, framingOf } from "../response/response-head.js";

export class Http2ResponseWriter implements ResponseWriter {
  readonly #stream: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  refuse({ status, headers, body }: Refusal): void {
    const text = ["Content-Type", "text/plain; charset=utf-8"] as const;
    this.#respond(fieldsToSend({ ":status": status }, [...Object.entries(headers), text]));
    if (this.#stream.writable) this.#stream.write(body);
  }

  prepare(response: Response, { method }: RequestHead): PreparedResponse {
    checkResponse(response);
    const fields = readHeaders(response.headers);
    // Minor version 0, as for HTTP/1.0: without a Content-Length, the body ends with the stream.
    const framing = method === "HEAD" ? ({ kind: "none" } as const) : framingOf(response, fields, 0);
    const headers = fieldsToSend({ ":status": response.status }, fields);
    return { framing, sendHead: () => this.#respond(headers) };
  }

  /** RFC 8441 section 5. */
  accept({ subprotocol, extensions, headers = [] }: UpgradeResponse): null {
    const fields: HeaderField[] = [...readHeaders(headers)];
    if (subprotocol !== null) fields.push(["sec-websocket-protocol", subprotocol]);
    if (extensions !== null) fields.push(["sec-websocket-extensions", extensions]);
    this.#respond(fieldsToSend({ ":status": 200 }, fields));
    return null;
  }

  /** Does nothing if the client has disconnected, or has received a response already. */
  #respond(headers: OutgoingHttpHeaders): void {
    const { closed, destroyed, headersSent } = this.#stream;
    if (!closed && !destroyed && !headersSent) this.#stream.respond(headers);
  }
}
