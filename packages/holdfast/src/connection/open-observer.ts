// How far an attempt to open a connection has come, for those who follow it.

import type { Connection } from "./connection.js";
import type { SessionWrapper } from "./session-carrier.js";
import type { Address } from "./ports.js";

/** Follows an attempt to open a connection. */
export interface OpenObserver {
  /** Offers the server a session, and wraps the transport if the server agrees. Absent or null for no session. */
  readonly session?: SessionWrapper | null;
  /** The transport to a server is up, TLS included; the upgrade follows. Once more for each redirect. */
  onConnected(ends: TransportEnds): void;
  /** The connection is open, and has not begun to read: what is attached to it misses nothing. */
  onOpen(connection: Connection): void;
  /** The server says over how many milliseconds its clients spread when they reconnect. May come several times. */
  onSpread(width: number): void;
}

/** Both ends of a transport, looked up when somebody asks. */
export interface TransportEnds {
  readonly remoteAddress: Address | null;
  readonly localAddress: Address | null;
}
