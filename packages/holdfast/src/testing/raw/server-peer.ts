// A scripted server's end of one connection.

import { STATUS_CODES } from "node:http";
import { type BytesLike, concatBytes, toBytes } from "../bytes.js";
import { acceptKey, formatHead, type Head, type HeadersToSend } from "./head.js";
import { RawPeer, type WaitOptions } from "./peer.js";

/** Options of `RawServerPeer.acceptUpgrade()`. */
export interface AcceptOptions {
  /** Added to the headers of the response; they replace headers of the same name, and null omits one. @default none */
  readonly headers?: HeadersToSend | undefined;
  /** The value of Sec-WebSocket-Accept (RFC 6455 section 4.2.2). @default the right one for the request */
  readonly accept?: string | undefined;
  /** Bytes right after the response, in the same write. @default none */
  readonly glue?: BytesLike | undefined;
}

/** The scripted server's end of a connection. Its frames are unmasked by default. */
export class RawServerPeer extends RawPeer {
  /**
   * Reads the request and answers 101. Returns the request, which is not checked.
   *
   * @throws Error if no request arrives within the timeout
   */
  async acceptUpgrade({ accept, headers, glue, timeout }: AcceptOptions & WaitOptions = {}): Promise<Head> {
    const request = await this.readHead(timeout === undefined ? {} : { timeout });
    const defaults = {
      Upgrade: "websocket",
      Connection: "Upgrade",
      "Sec-WebSocket-Accept": accept ?? acceptKey(request.header("Sec-WebSocket-Key") ?? ""),
    };
    this.#send(101, defaults, headers, glue);
    return request;
  }

  /** Answers a request with any status, in one write. */
  respond(status: number, { headers, body = "" }: { headers?: HeadersToSend; body?: BytesLike } = {}): void {
    const bytes = toBytes(body);
    this.#send(status, { "Content-Length": String(bytes.length), Connection: "close" }, headers, bytes);
  }

  #send(status: number, defaults: HeadersToSend, headers: HeadersToSend = {}, rest: BytesLike = ""): void {
    const head = formatHead(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`, defaults, headers);
    this.write(concatBytes([toBytes(head), toBytes(rest)]));
  }
}
