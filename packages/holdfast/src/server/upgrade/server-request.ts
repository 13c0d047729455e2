// The request that `onRequest` and the handler receive.

import { describeObject, showInInspector } from "../../connection/inspection.js";
import type { Address } from "../../connection/ports.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import type { RequestOrigin } from "../forwarding/request-origin.js";
import { showURL } from "../../shared/show-url.js";
import { rawRequestOf, tlsOf, type RawRequest, type RequestTLS } from "../forwarding/request-source.js";

/** The purpose of a request, as the server determined it. */
export interface RequestPurpose {
  /** Path and query. */
  readonly target: string;
  readonly isUpgrade: boolean;
}

// The class sets these. They keep internal types out of the shipped declarations.
// It takes the class: nothing else may refer to it, and a bundler would leave it out.
let create: (
  Class: typeof ServerRequest,
  head: RequestHead,
  origin: RequestOrigin,
  purpose: RequestPurpose,
) => ServerRequest;
let abort: (request: ServerRequest) => void;

/**
 * A request to a server, with the property names of the standard `Request`. It has no body: the server discards the
 * body of a plain HTTP request.
 */
export class ServerRequest {
  /** Whether the request is a WebSocket upgrade; otherwise it is plain HTTP. */
  readonly isUpgrade: boolean;
  /** Path and query, such as `/chat?room=1`. */
  readonly target: string;
  readonly #head: RequestHead;
  readonly #origin: RequestOrigin;
  #headers: Headers | null = null;
  #raw: RawRequest | null = null;
  /** Undefined until it is first read. */
  #tls: RequestTLS | null | undefined;
  #aborter: AbortController | null = null;
  #isAborted = false;

  static {
    create = (Class, head, origin, purpose) => new Class(head, origin, purpose);
    abort = (request) => {
      request.#isAborted = true;
      request.#aborter?.abort();
    };
    showInInspector(this, ({ method, url, isUpgrade }) =>
      describeObject("ServerRequest", { method, url: showURL(url), isUpgrade }),
    );
  }

  private constructor(head: RequestHead, origin: RequestOrigin, { target, isUpgrade }: RequestPurpose) {
    this.#head = head;
    this.#origin = origin;
    this.target = target;
    this.isUpgrade = isUpgrade;
  }

  get method(): string {
    return this.#head.method;
  }

  /**
   * The absolute URL, built from the Host header: `http://example.com/chat?room=1`; `https:` over TLS. With
   * `trustProxy`, the URL that the client requested from the proxy.
   */
  get url(): string {
    const host = this.#origin.host ?? this.#head.headers.get("Host") ?? "localhost"; // HTTP/1.0 has no Host header.
    return `${this.#origin.isSecure ? "https" : "http"}://${host}${this.target}`;
  }

  get headers(): Headers {
    return (this.#headers ??= this.#head.headers.toHeaders());
  }

  /**
   * The client's address. With `trustProxy`, as the proxies report it, with port 0 if they report none. Otherwise the
   * address of the socket's peer, which may be a proxy. Null on a Unix socket, or if the client has disconnected.
   */
  get remoteAddress(): Address | null {
    return this.#origin.transport.remoteAddress;
  }

  /** The server's address; null on a Unix socket. */
  get localAddress(): Address | null {
    return this.#origin.transport.localAddress;
  }

  /**
   * The request as an `IncomingMessage` of `node:http` or, over HTTP/2, an `Http2ServerRequest`: for middleware, such as
   * a framework's sessions. With `attach()` and `handleUpgrade()` over HTTP/1.1, it is the object of your HTTP server;
   * otherwise it is made when you first read this property. Do not read a body from it.
   */
  get raw(): RawRequest {
    return (this.#raw ??= rawRequestOf(this.#origin.source, this.#head));
  }

  /**
   * The TLS connection to this server, with the client's certificate; null without TLS, which includes a proxy that
   * forwards without TLS, and after the client has disconnected. Ask for certificates with `requestCert: true` among the
   * options of `tls`.
   */
  get tls(): RequestTLS | null {
    if (this.#tls === undefined) this.#tls = tlsOf(this.#origin.source);
    return this.#tls;
  }

  /**
   * Aborts when a response is of no use any more: the client has disconnected, `openTimeout` has expired, or the server
   * is closing.
   */
  get signal(): AbortSignal {
    if (this.#aborter === null) {
      this.#aborter = new AbortController();
      if (this.#isAborted) this.#aborter.abort();
    }
    return this.#aborter.signal;
  }
}

export function createServerRequest(
  head: RequestHead,
  origin: RequestOrigin,
  purpose: RequestPurpose,
): ServerRequest {
  return create(ServerRequest, head, origin, purpose);
}

/** Aborts the request's `signal`. */
export function abortServerRequest(request: ServerRequest): void {
  abort(request);
}
