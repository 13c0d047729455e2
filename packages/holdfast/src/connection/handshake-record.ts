// The opening handshake for the application. Derived values are made on demand: most connections never need them, and
// ten thousand idle connections must be cheap.

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

/** The outcome of the handshake, as `connect()` or `serve()` keeps it. */
export interface HandshakeRecord {
  /** Without user info. */
  readonly url: string;
  readonly request: HandshakeRequest;
  readonly response: HandshakeResponse;
  readonly subprotocol: string | null;
  readonly extensions: readonly string[];
  /** The client's address as trusted proxies report it. Absent if the transport's address counts. */
  readonly remoteAddress?: Address | null;
  /** The application's value for the connection, at a server. */
  readonly data?: unknown;
  /** A session continues on another socket: a client's rights may have changed, so that its `data` counts. */
  renew?(newest: HandshakeRecord): void;
}
