// The opening handshake as an application sees it afterwards. What can be derived is made when somebody asks for it:
// most connections are never asked, and ten thousand idle ones must be cheap.

import type { Address } from "./ports.js";

/** The client's request. */
export interface HandshakeRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** The header fields; a new object each time. */
  readonly headers: Headers;
}

/** The server's answer. */
export interface HandshakeResponse {
  readonly status: number;
  /** The header fields; a new object each time. */
  readonly headers: Headers;
}

/** What was agreed on, as `connect()` or `serve()` keeps it. */
export interface HandshakeRecord {
  /** Without user info. */
  readonly url: string;
  readonly request: HandshakeRequest;
  readonly response: HandshakeResponse;
  readonly subprotocol: string | null;
  readonly extensions: readonly string[];
  /** The client's address as trusted proxies report it; absent where the peer of the transport counts. */
  readonly remoteAddress?: Address | null;
  /** What a server's application attached to the connection. */
  readonly data?: unknown;
}
