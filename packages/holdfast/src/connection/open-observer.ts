// The port by which the library follows an attempt to open a connection.

import type { Connection } from "./connection.js";
import type { SessionWrapper } from "./session-carrier.js";
import type { Address } from "./ports.js";

/** Observes an attempt to open a connection. */
export interface OpenObserver {
  /** Offers the server a session, and wraps the transport if the server agrees. Absent or null for no session. */
  readonly session?: SessionWrapper | null;
  /** The transport to a server is established, TLS included; the upgrade follows. Called again for each redirect. */
  onConnected(ends: TransportEnds): void;
  /** The connection is open and has not begun to read, so that an observer attached now misses nothing. */
  onOpen(connection: Connection): void;
  /**
   * The server announced the number of milliseconds over which its clients should spread their reconnects. May be
   * called several times.
   */
  onSpread(width: number): void;
}

/** The addresses of a transport, looked up on demand. */
export interface TransportEnds {
  readonly remoteAddress: Address | null;
  readonly localAddress: Address | null;
}
