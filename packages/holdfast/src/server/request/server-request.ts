// A request as `onRequest` and the handler see it.

import type { Address, Transport } from "../../connection/ports.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";

/** Where a request came from. */
export interface RequestOrigin {
  readonly transport: Pick<Transport, "localAddress" | "remoteAddress">;
  /** Whether it came over TLS. */
  readonly isSecure: boolean;
}

/** What a request was judged to ask for. */
export interface RequestAim {
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
  constructor(head: RequestHead, origin: RequestOrigin, { target, isUpgrade }: RequestAim) {
    this.#head = head;
    this.#origin = origin;
    this.target = target;
    this.isUpgrade = isUpgrade;
  }

  get method(): string {
    return this.#head.method;
  }

  /** The absolute URL, by the Host header: `http://example.com/chat?room=1`; `https:` over TLS. */
  get url(): string {
    const host = this.#head.headers.get("Host") ?? "localhost"; // HTTP/1.0 has none.
    return `${this.#origin.isSecure ? "https" : "http"}://${host}${this.target}`;
  }

  get headers(): Headers {
    return (this.#headers ??= this.#head.headers.toHeaders());
  }

  /** The client's end, or that of the last proxy; null on a Unix socket, or where the client is gone. */
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
