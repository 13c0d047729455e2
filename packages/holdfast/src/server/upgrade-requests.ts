// The requests that a server is answering, over HTTP/1.1 and HTTP/2.

import type { ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import type { ByteStream } from "../connection/ports.js";
import type { Runtime } from "../connection/runtime.js";
import type { RequestHead } from "../protocol/handshake/request-head.js";
import type { Refusal } from "../protocol/handshake/server-handshake.js";
import { Http2ByteStream } from "../transport/node/http2-byte-stream.js";
import { SocketByteStream } from "../transport/node/socket-byte-stream.js";
import type { RequestSource } from "./forwarding/request-source.js";
import { Http2ResponseWriter } from "./http2/http2-response-writer.js";
import type { ServerSettings } from "./options.js";
import { Http1ResponseWriter, type ResponseWriter } from "./response/response-writer.js";
import type { AdmissionPolicy } from "./upgrade/admission-policy.js";
import type { CheckedGrant } from "./upgrade/request-answer.js";
import { UpgradeRequest, type UpgradeRequestHandler } from "./upgrade/upgrade-request.js";

/** A socket or HTTP/2 stream that carries a request, as its listener describes it. */
export interface IncomingSocket {
  readonly source: RequestSource;
  readonly isSecure: boolean;
  /** When the client connected, in monotonic milliseconds. */
  readonly since: number;
}

export interface UpgradeRequestsOptions {
  readonly runtime: Runtime;
  readonly settings: ServerSettings;
  readonly policy: AdmissionPolicy;
  readonly handler: UpgradeRequestHandler;
}

export class UpgradeRequests {
  readonly #options: UpgradeRequestsOptions;
  readonly #requests = new Set<UpgradeRequest>();

  constructor(options: UpgradeRequestsOptions) {
    this.#options = options;
  }

  /** Whether a client still has to receive its response, or the rest of it. */
  get isPending(): boolean {
    for (const request of this.#requests) if (request.isPending) return true;
    return false;
  }

  /**
   * Serves a client that has not sent anything yet.
   *
   * @param continueAsHttp2 called if the client speaks HTTP/2, when the socket is back in its initial state; null
   * refuses HTTP/2
   */
  receive(socket: Duplex, incoming: IncomingSocket, continueAsHttp2: (() => void) | null): void {
    const transport = new SocketByteStream(socket);
    const onHttp2 =
      continueAsHttp2 &&
      ((read: Uint8Array) => {
        transport.release(read);
        continueAsHttp2();
      });
    this.#add(transport, new Http1ResponseWriter(transport), incoming).begin(onHttp2);
  }

  /** Serves a client whose request an HTTP server has read; `rest` holds the bytes that followed it. */
  receiveRequest(
    socket: Duplex,
    incoming: IncomingSocket,
    head: RequestHead,
    rest: Uint8Array,
    granted?: CheckedGrant,
  ): void {
    this.#overHttp1(socket, incoming).beginWithHead(head, rest, granted);
  }

  /** Refuses a client whose request an HTTP server has read; `head` is null if it is invalid or incomplete. */
  refuse(socket: Duplex, incoming: IncomingSocket, refusal: Refusal, head: RequestHead | null): void {
    this.#overHttp1(socket, incoming).refuse(refusal, head);
  }

  /** Serves a request on an HTTP/2 stream. */
  receiveStream(stream: ServerHttp2Stream, incoming: IncomingSocket, head: RequestHead): void {
    this.#overHttp2(stream, incoming).beginWithHead(head, NO_BYTES);
  }

  /** Refuses a request on an HTTP/2 stream. */
  refuseStream(
    stream: ServerHttp2Stream,
    incoming: IncomingSocket,
    refusal: Refusal,
    head: RequestHead,
  ): void {
    this.#overHttp2(stream, incoming).refuse(refusal, head);
  }

  /** Refuses the upgrades that `onRequest` is still deciding on, because the server is closing. */
  drain(): void {
    for (const request of this.#requests) request.drain();
  }

  /** Destroys the sockets of requests that have not become connections. */
  destroy(): void {
    for (const request of this.#requests) request.destroy();
  }

  /** The socket has closed, or belongs to a connection now. */
  delete(request: UpgradeRequest): void {
    this.#requests.delete(request);
  }

  #overHttp1(socket: Duplex, incoming: IncomingSocket): UpgradeRequest {
    const transport = new SocketByteStream(socket);
    return this.#add(transport, new Http1ResponseWriter(transport), incoming);
  }

  #overHttp2(stream: ServerHttp2Stream, incoming: IncomingSocket): UpgradeRequest {
    return this.#add(new Http2ByteStream(stream), new Http2ResponseWriter(stream), incoming);
  }

  #add(transport: ByteStream, responseWriter: ResponseWriter, incoming: IncomingSocket): UpgradeRequest {
    const request = new UpgradeRequest({ ...this.#options, ...incoming, transport, responseWriter });
    this.#requests.add(request);
    return request;
  }
}

const NO_BYTES = new Uint8Array(0);
