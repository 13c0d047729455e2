// A request as `onRequest` and the handler see it.

import type { Address, ByteStream } from "../../connection/ports.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";

/** Where a request came from. */
export interface RequestOrigin {
  readonly transport: Pick<ByteStream, "isUnix" | "localAddress" | "remoteAddress">;
  /** Whether the client uses TLS. */
  readonly isSecure: boolean;
  /** The host that the client asked a trusted proxy for; null or absent where the header Host counts. */
  readonly host?: string | null;
  /** Whether all of this is what a trusted proxy says. */
  readonly isForwarded?: boolean;
}

/** What a request was judged to ask for. */
export interface RequestAim {
  /** Path and query. */
  readonly target: string;
  readonly isUpgrade: boolean;
}

let abort: (request: ServerRequest) => void;

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

  static {
    abort = (request) => {
      request.#isAborted = true;
      request.#aborter?.abort();
    };
  }

  private constructor(head: RequestHead, origin: RequestOrigin, { target, isUpgrade }: RequestAim) {
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
}

export function createServerRequest(
  head: RequestHead,
  origin: RequestOrigin,
  aim: RequestAim,
): ServerRequest {
  // The constructor is private so that the declarations which ship do not name its parameters.
  const Constructor = ServerRequest as unknown as new (
    head: RequestHead,
    origin: RequestOrigin,
    aim: RequestAim,
  ) => ServerRequest;
  return new Constructor(head, origin, aim);
}

/** Nobody needs the answer any more: aborts the request's signal. */
export function abortRequest(request: ServerRequest): void {
  abort(request);
}
