// One request on a stream of HTTP/2 and its answer (RFC 8441 section 5).

import type { ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from "node:http2";
import { receivedFields } from "../../transport/node/http2-fields.js";
import type { Http2ByteStream } from "../../transport/node/http2-byte-stream.js";
import type { ByteStreamHandler } from "../../connection/ports.js";
import type { ResponseHead } from "../../protocol/handshake/response-head.js";
import type { ExchangeHandler } from "../exchange.js";
import type { SystemError } from "../open-failure.js";
import { RefusalBody } from "../refusal-body.js";
import type { PendingExchange } from "../dial/dial-context.js";

export class Http2Exchange implements ByteStreamHandler, PendingExchange {
  readonly #handler: ExchangeHandler;
  readonly #stream: ClientHttp2Stream;
  readonly #canAskAgain: () => boolean;
  #refusal: { readonly head: ResponseHead; readonly body: RefusalBody } | null = null;
  #isOver = false;

  /** @param canAskAgain is called where the stream ends unanswered; true where another connection takes the request */
  constructor(stream: ClientHttp2Stream, handler: ExchangeHandler, canAskAgain: () => boolean) {
    this.#stream = stream;
    this.#handler = handler;
    this.#canAskAgain = canAskAgain;
  }

  begin(transport: Http2ByteStream): void {
    this.#stream.once("response", this.#onResponse);
    transport.start(this);
    // What comes behind the answer is for whoever the answer is for.
    transport.pause();
  }

  /** Waits no longer for the body of a refusal: tells what came of it. Returns whether there is a refusal. */
  finishBody(): boolean {
    const refusal = this.#refusal;
    if (refusal === null) return false;
    this.#end(() => this.#handler.onBody(refusal.head, refusal.body.take()));
    return true;
  }

  /** The request goes another way: nothing of this stream matters any more. */
  abandon(): void {
    this.#isOver = true;
  }

  onChunk(chunk: Uint8Array): void {
    if (this.#refusal?.body.push(chunk) === true) this.finishBody();
  }

  onEof(): void {
    if (!this.finishBody()) this.#endUnanswered(() => this.#handler.onEnded());
  }

  onError(error: SystemError): void {
    if (!this.finishBody()) this.#endUnanswered(() => this.#handler.onError(error));
  }

  onDrain(): void {
    // Nothing was sent but the request.
  }

  onClosed(): void {
    this.onEof();
  }

  readonly #onResponse = (headers: IncomingHttpHeaders & IncomingHttpStatusHeader): void => {
    if (this.#isOver) return;
    const status = headers[":status"] ?? 0;
    const head: ResponseHead = { status, reason: "", minorVersion: 1, headers: receivedFields(headers) };
    this.#stream.resume(); // From the next turn on: by then it has gone to whoever the answer is for.
    if (this.#handler.onHead(head, new Uint8Array(0)) === "done") this.#isOver = true;
    else this.#refusal = { head, body: new RefusalBody(head.headers) };
    if (this.#refusal?.body.push(new Uint8Array(0)) === true) this.finishBody();
  };

  #endUnanswered(tell: () => void): void {
    this.#end(() => {
      if (!this.#canAskAgain()) tell();
    });
  }

  #end(tell: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    tell();
  }
}
