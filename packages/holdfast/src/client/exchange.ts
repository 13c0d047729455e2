// One HTTP/1.1 request on a stream and its response (RFC 9112): the upgrade request, or CONNECT to a proxy.

import type { ByteStreamHandler } from "../connection/ports.js";
import type { SocketByteStream } from "../transport/node/socket-byte-stream.js";
import { isHeadFailure, type HeadLimits } from "../protocol/handshake/head-failure.js";
import { HeadReader } from "../protocol/handshake/head-reader.js";
import {
  isInterimResponse,
  parseResponseHead,
  type ResponseHead,
} from "../protocol/handshake/response-head.js";
import { AnswerStart } from "./answer-start.js";
import type { SystemError } from "./open-failure.js";
import { RejectionBody } from "./rejection-body.js";
import type { PendingExchange } from "./dial/dial-context.js";

/** Receives the response. Any call but `onHead` ends the exchange, and so does `onHead` if it returns `"done"`. */
export interface ExchangeHandler {
  /**
   * Called synchronously with the head of the final response, and with the bytes received after it. Returns `"done"` to
   * take over the stream, or `"body"` to receive the body of a rejection.
   */
  onHead(head: ResponseHead, rest: Uint8Array): "body" | "done";
  /** The body of the rejection, possibly truncated. */
  onBody(head: ResponseHead, body: Uint8Array): void;
  /** The received bytes are not a valid response. */
  onMalformed(reason: string): void;
  onError(error: SystemError): void;
  /**
   * The stream ended before a complete response.
   *
   * @param hasAnswered whether a part of a response had arrived
   */
  onEnded(hasAnswered: boolean): void;
}

export class Exchange implements ByteStreamHandler, PendingExchange {
  readonly #handler: ExchangeHandler;
  readonly #reader: HeadReader;
  readonly #start = new AnswerStart();
  #hasAnswered = false;
  #rejection: { readonly head: ResponseHead; readonly body: RejectionBody } | null = null;
  #isOver = false;

  constructor(limits: HeadLimits, handler: ExchangeHandler) {
    this.#handler = handler;
    this.#reader = new HeadReader(limits, true);
  }

  begin(transport: SocketByteStream, request: Uint8Array): void {
    if (transport.socket.destroyed) {
      // It closed in the tick that opened it, so no event will follow.
      this.#end(() => this.#handler.onEnded(false));
      return;
    }
    transport.start(this);
    transport.write([request]);
  }

  /** Reports a rejection with the part of its body received so far. Returns false if there was no rejection. */
  finishBody(): boolean {
    const rejection = this.#rejection;
    if (rejection === null) return false;
    this.#end(() => this.#handler.onBody(rejection.head, rejection.body.take()));
    return true;
  }

  onChunk(chunk: Uint8Array): void {
    if (this.#isOver) return;
    if (this.#rejection !== null) {
      if (this.#rejection.body.push(chunk)) this.finishBody();
      return;
    }
    this.#hasAnswered ||= chunk.length > 0;
    const problem = this.#start.push(chunk);
    if (problem !== null) {
      this.#end(() => this.#handler.onMalformed(problem));
      return;
    }
    for (let unread = chunk; ;) {
      const result = this.#reader.push(unread);
      if (result === "incomplete") return;
      if (isHeadFailure(result)) {
        this.#end(() => this.#handler.onMalformed(result.reason));
        return;
      }
      const head = parseResponseHead(result.head);
      if (isHeadFailure(head)) {
        this.#end(() => this.#handler.onMalformed(head.reason));
        return;
      }
      unread = result.rest;
      if (!isInterimResponse(head)) {
        this.#onHead(head, unread);
        return;
      }
    }
  }

  onEof(): void {
    if (!this.finishBody()) this.#end(() => this.#handler.onEnded(this.#hasAnswered));
  }

  onError(error: SystemError): void {
    if (!this.finishBody()) this.#end(() => this.#handler.onError(error));
  }

  onDrain(): void {
    // The request is small, and nothing else is sent.
  }

  onClosed(): void {
    this.onEof();
  }

  #onHead(head: ResponseHead, rest: Uint8Array): void {
    if (this.#handler.onHead(head, rest) === "done") {
      this.#isOver = true;
      return;
    }
    this.#rejection = { head, body: new RejectionBody(head) };
    if (this.#rejection.body.push(rest)) this.finishBody();
  }

  #end(report: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    report();
  }
}
