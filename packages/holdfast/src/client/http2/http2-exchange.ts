// One request on an HTTP/2 stream and its response (RFC 8441 section 5).

import type { ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from "node:http2";
import { receivedFields } from "../../transport/node/http2-fields.js";
import type { Http2ByteStream } from "../../transport/node/http2-byte-stream.js";
import type { ByteStreamHandler } from "../../connection/ports.js";
import type { ResponseHead } from "../../protocol/handshake/response-head.js";
import type { ExchangeHandler } from "../exchange.js";
import type { SystemError } from "../open-failure.js";
import { RejectionBody } from "../rejection-body.js";
import type { PendingExchange } from "../dial/dial-context.js";

export class Http2Exchange implements ByteStreamHandler, PendingExchange {
  readonly #handler: ExchangeHandler;
  readonly #stream: ClientHttp2Stream;
  readonly #canRetry: () => boolean;
  #rejection: { readonly head: ResponseHead; readonly body: RejectionBody } | null = null;
  #isOver = false;

  /** @param canRetry called if the stream ends without a response; returns true if the request is retried elsewhere */
  constructor(stream: ClientHttp2Stream, handler: ExchangeHandler, canRetry: () => boolean) {
    this.#stream = stream;
    this.#handler = handler;
    this.#canRetry = canRetry;
  }

  begin(transport: Http2ByteStream): void {
    this.#stream.once("response", this.#onResponse);
    transport.start(this);
    // The receiver of the response also reads the bytes after it.
    transport.pause();
  }

  /** Reports a rejection with the part of its body received so far. Returns false if there was no rejection. */
  finishBody(): boolean {
    const rejection = this.#rejection;
    if (rejection === null) return false;
    this.#end(() => this.#handler.onBody(rejection.head, rejection.body.take()));
    return true;
  }

  /** Ignores all further events, because the request is retried on another stream. */
  detach(): void {
    this.#isOver = true;
  }

  onChunk(chunk: Uint8Array): void {
    if (this.#rejection?.body.push(chunk) === true) this.finishBody();
  }

  onEof(): void {
    if (!this.finishBody()) this.#endUnanswered(() => this.#handler.onEnded(false));
  }

  onError(error: SystemError): void {
    if (!this.finishBody()) this.#endUnanswered(() => this.#handler.onError(error));
  }

  onDrain(): void {
    // Nothing but the request is sent.
  }

  onClosed(): void {
    this.onEof();
  }

  readonly #onResponse = (headers: IncomingHttpHeaders & IncomingHttpStatusHeader): void => {
    if (this.#isOver) return;
    const status = headers[":status"] ?? 0;
    const head: ResponseHead = { status, reason: "", minorVersion: 1, headers: receivedFields(headers) };
    this.#stream.resume(); // Data flows from the next tick, when the receiver of the response is in place.
    if (this.#handler.onHead(head, new Uint8Array(0)) === "done") this.#isOver = true;
    else this.#rejection = { head, body: new RejectionBody(head) };
    if (this.#rejection?.body.push(new Uint8Array(0)) === true) this.finishBody();
  };

  #endUnanswered(report: () => void): void {
    this.#end(() => {
      if (!this.#canRetry()) report();
    });
  }

  #end(report: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    report();
  }
}
