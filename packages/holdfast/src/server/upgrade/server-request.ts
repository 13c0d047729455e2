// A request as `onRequest` and the handler see it.

import type { Address } from "../../connection/ports.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";
import type { RequestOrigin } from "../forwarding/request-origin.js";

/** What a request was judged to ask for. */
export interface RequestPurpose {
  /** Path and query. */
  readonly target: string;
  readonly isUpgrade: boolean;
}

/** Names the method of `ServerRequest` that is the server's alone. */
export const abortRequest = Symbol("abortRequest");

/**
 * A request to a server, with the words of the standard `Request`. It has no body: what a client sends behind the
 * head of a plain request is thrown away.
 */
export class ServerRequest {
  /** Whether it asks for a WebSocket; otherwise it is plain HTTP. */
  readonly isUpgrade: boolean;
  /** Path and query, such as `/chat?room=1`. */
  readonly target: string;
  readonly #head: RequestHead;
  readonly #origin: RequestOrigin;
  #headers: Headers | null = null;
  #aborter: AbortController | null = null;
  #isAborted = false;

  /** Applications get requests from `serve()` and `attach()`. */
  constructor(head: RequestHead, origin: RequestOrigin, { target, isUpgrade }: RequestPurpose) {
    this.#head = head;
    this.#origin = origin;
    this.target = target;
    this.isUpgrade = isUpgrade;
  }

  get method(): string {
    return this.#head.method;
  }

  /**
   * The absolute URL, by the Host header: `http://example.com/chat?room=1`; `https:` over TLS. With `trustProxy`, as
   * the client asked the proxy for it.
   */
  get url(): string {
    const host = this.#origin.host ?? this.#head.headers.get("Host") ?? "localhost"; // HTTP/1.0 has none.
    return `${this.#origin.isSecure ? "https" : "http"}://${host}${this.target}`;
  }

  get headers(): Headers {
    return (this.#headers ??= this.#head.headers.toHeaders());
  }

  /**
   * The client's end: with `trustProxy` as the proxies report it, with port 0 where they name none; otherwise the peer
   * of the socket, which may be a proxy. Null on a Unix socket, or where the client is gone.
   */
  get remoteAddress(): Address | null {
    return this.#origin.transport.remoteAddress;
  }

  /** The server's end; null on a Unix socket. */
  get localAddress(): Address | null {
    return this.#origin.transport.localAddress;
  }

  /** Aborts when an answer is of no use any more: the client is gone, or `openTimeout` is over. */
  get signal(): AbortSignal {
    if (this.#aborter === null) {
      this.#aborter = new AbortController();
      if (this.#isAborted) this.#aborter.abort();
    }
    return this.#aborter.signal;
  }

  /** Not for applications. */
  [abortRequest](): void {
    this.#isAborted = true;
    this.#aborter?.abort();
  }
}
