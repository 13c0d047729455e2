// One request on a stream and its answer (RFC 9112): the upgrade of the server, and CONNECT of a proxy.

import type { ByteStreamHandler } from "../connection/ports.js";
import type { SocketByteStream } from "../transport/node/socket-byte-stream.js";
import { isHeadFailure, type HeadLimits } from "../protocol/handshake/head-failure.js";
import { HeadReader } from "../protocol/handshake/head-reader.js";
import {
  isInterimResponse,
  parseResponseHead,
  type ResponseHead,
} from "../protocol/handshake/response-head.js";
import type { SystemError } from "./open-failure.js";
import { RefusalBody } from "./refusal-body.js";
import type { PendingExchange } from "./dial/dial-context.js";

/** Who sent the request. One of `onBody`, `onMalformed`, `onError` and `onEnded` ends it, or `onHead` does. */
export interface ExchangeHandler {
  /**
   * The head of the final answer, at once: the bytes behind it, `rest`, and all that follow are the handler's, unless
   * it answers that this is a refusal, whose `"body"` it wants to know.
   */
  onHead(head: ResponseHead, rest: Uint8Array): "body" | "done";
  /** The body of the refusal, whole or as far as it came. */
  onBody(head: ResponseHead, body: Uint8Array): void;
  /** What came is no answer. */
  onMalformed(reason: string): void;
  onError(error: SystemError): void;
  /** The stream ended before there was an answer. */
  onEnded(): void;
}

export class Exchange implements ByteStreamHandler, PendingExchange {
  readonly #handler: ExchangeHandler;
  readonly #reader: HeadReader;
  #refusal: { readonly head: ResponseHead; readonly body: RefusalBody } | null = null;
  #isOver = false;

  constructor(limits: HeadLimits, handler: ExchangeHandler) {
    this.#handler = handler;
    this.#reader = new HeadReader(limits, true);
  }

  begin(transport: SocketByteStream, request: Uint8Array): void {
    if (transport.socket.destroyed) {
      // In the turn in which it was opened: nobody will tell any more.
      this.#end(() => this.#handler.onEnded());
      return;
    }
    transport.start(this);
    transport.write([request]);
  }

  /** Waits no longer for the body of a refusal: tells what came of it. Returns whether there is a refusal. */
  finishBody(): boolean {
    const refusal = this.#refusal;
    if (refusal === null) return false;
    this.#end(() => this.#handler.onBody(refusal.head, refusal.body.take()));
    return true;
  }

  onChunk(chunk: Uint8Array): void {
    if (this.#isOver) return;
    if (this.#refusal !== null) {
      if (this.#refusal.body.push(chunk)) this.finishBody();
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
    if (!this.finishBody()) this.#end(() => this.#handler.onEnded());
  }

  onError(error: SystemError): void {
    if (!this.finishBody()) this.#end(() => this.#handler.onError(error));
  }

  onDrain(): void {
    // The request is the only thing to send, and it is small.
  }

  onClosed(): void {
    this.onEof();
  }

  #onHead(head: ResponseHead, rest: Uint8Array): void {
    if (this.#handler.onHead(head, rest) === "done") {
      this.#isOver = true;
      return;
    }
    this.#refusal = { head, body: new RefusalBody(head.headers) };
    if (this.#refusal.body.push(rest)) this.finishBody();
  }

  #end(tell: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    tell();
  }
}
