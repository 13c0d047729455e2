// The limits on the open connections of a server: how fast each may send, and how many an address may have.

import type { Connection } from "../../connection/connection.js";
import type { AddressLimits } from "./address-limits.js";
import type { ReceiveLimit, ReceiveLimits } from "./receive-limit.js";

interface LimitedConnection {
  readonly meter: ReceiveLimit | null;
  /** From `AddressLimits.addConnection`; null while the connection does not count. */
  addressKey: string | null;
}

export class ConnectionLimits {
  readonly #addresses: AddressLimits;
  readonly #receiving: ReceiveLimits;
  readonly #open = new Map<Connection, LimitedConnection>();

  constructor(addresses: AddressLimits, receiving: ReceiveLimits) {
    this.#addresses = addresses;
    this.#receiving = receiving;
  }

  /** Returns the meter of a new connection; null without a limit. */
  meter(speaksLink: boolean): ReceiveLimit | null {
    return this.#receiving.meter(speaksLink);
  }

  add(connection: Connection, meter: ReceiveLimit | null): void {
    meter?.watch(connection);
    this.#open.set(connection, { meter, addressKey: null });
  }

  /** Counts the connection among those of its address. Without an address, on a Unix socket, there is no limit. */
  count(connection: Connection): void {
    const limited = this.#open.get(connection);
    const { remoteAddress } = connection;
    if (limited === undefined || remoteAddress === null) return;
    limited.addressKey = this.#addresses.addConnection(remoteAddress);
  }

  remove(connection: Connection): void {
    const limited = this.#open.get(connection);
    if (limited === undefined) return;
    this.#open.delete(connection);
    limited.meter?.stop();
    if (limited.addressKey !== null) this.#addresses.removeConnection(limited.addressKey);
  }
}
