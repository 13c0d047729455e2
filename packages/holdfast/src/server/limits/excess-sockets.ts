// The sockets above the limits of connections that offer sessions. A half-dead socket still counts as open, so a full
// server would refuse the very client whose socket it is, and which wants to resume its session on another one. Such
// sockets are let in uncounted, few at a time, until they say which session they resume.

import type { Connection } from "../../connection/connection.js";
import type { Address } from "../../connection/ports.js";
import { keyOf } from "./address-limits.js";

/** Milliseconds within which such a socket must say which session it resumes: clients say so at once. */
export const EXCESS_TIMEOUT = 5_000;

/** The most such sockets of a server. */
const MAX_SOCKETS = 64;

/** The most such sockets of one address. */
const MAX_PER_ADDRESS = 8;

/** A client or its connection. Its address costs memory and system calls once it is read. */
export interface Addressed {
  readonly remoteAddress: Address | null;
}

export class ExcessSockets {
  /** The key of each one's address; null for a Unix socket. */
  readonly #keys = new Map<Connection, string | null>();

  get size(): number {
    return this.#keys.size;
  }

  /** Reads the client's address only where the number for each address matters. */
  hasRoom(client: Addressed): boolean {
    const { size } = this.#keys;
    if (size < MAX_PER_ADDRESS || size >= MAX_SOCKETS) return size < MAX_SOCKETS;
    const address = client.remoteAddress;
    if (address === null) return true;
    const key = keyOf(address);
    let count = 0;
    for (const each of this.#keys.values()) if (each === key) count++;
    return count < MAX_PER_ADDRESS;
  }

  add(connection: Connection, address: Address | null): void {
    this.#keys.set(connection, address === null ? null : keyOf(address));
  }

  has(connection: Connection): boolean {
    return this.#keys.has(connection);
  }

  delete(connection: Connection): boolean {
    return this.#keys.delete(connection);
  }
}
