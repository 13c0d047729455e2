// Which node of a cluster serves which slot.

import type { Address, Connector, RedisConnection, Reply } from "../client/connection.js";
import { before, deadlineFromNow } from "./deadline.js";
import { noReply } from "./failures.js";
import { SLOTS } from "./hash-slot.js";
import type { NodeConnections } from "./node-connections.js";

/** Milliseconds between two requests for the map. */
const MIN_INTERVAL = 100;

export class SlotMap {
  readonly #connector: Connector;
  readonly #connections: NodeConnections;
  #addresses: (Address | undefined)[] = [];
  #refreshing: Promise<void> | null = null;
  #refreshedAt = -Infinity;
  #loads = 0;

  constructor(connector: Connector, connections: NodeConnections) {
    this.#connector = connector;
    this.#connections = connections;
  }

  /** The address of the node that serves this slot; null without a cluster. */
  async addressOf(slot: number, deadline: number): Promise<Address | null> {
    if (!this.#connector.isCluster) return null;
    if (this.#addresses[slot] === undefined) await this.refresh(deadline);
    const address = this.#addresses[slot];
    if (address === undefined) throw new Error(`CLUSTERDOWN No node of the cluster serves slot ${slot}.`);
    return address;
  }

  /** The cached address; undefined if the map has to be requested first. */
  knownAddressOf(slot: number): Address | null | undefined {
    return this.#connector.isCluster ? this.#addresses[slot] : null;
  }

  /** Requests the map again, unless that has just happened. */
  async refresh(deadline: number): Promise<void> {
    if (!this.#connector.isCluster || performance.now() - this.#refreshedAt < MIN_INTERVAL) return;
    this.#refreshing ??= this.#load(deadline).finally(() => (this.#refreshing = null));
    await this.#refreshing;
  }

  /** Stores the address that a redirection names. */
  set(slot: number, address: Address): void {
    this.#addresses[slot] = address;
  }

  async #load(deadline: number): Promise<void> {
    let cause: unknown;
    const known = this.#known();
    // Without any, the connector reports why.
    const addresses = known.length === 0 ? [null] : known;
    for (const [index, address] of addresses.entries()) {
      const isLast = index === addresses.length - 1;
      const until = isLast ? deadline : Math.min(deadline, deadlineFromNow(500));
      try {
        const connection = await this.#connections.get(address, until);
        this.#addresses = await before(until, this.#readMap(connection, address), () => noReply(null));
        this.#refreshedAt = performance.now();
        return;
      } catch (error) {
        cause = error;
      }
    }
    throw cause;
  }

  /**
   * Nodes of the map and those that the client knows, by turns, since one may have an old map; those that may be down
   * come last.
   */
  #known(): readonly Address[] {
    const known = new Map<string, Address>();
    for (const address of [...this.#addresses, ...this.#connector.nodes]) {
      if (address !== undefined) known.set(`${address.host} ${address.port}`, address);
    }
    const nodes = [...known.values()];
    const turn = this.#loads++ % Math.max(1, nodes.length);
    return [...nodes.slice(turn), ...nodes.slice(0, turn)].sort(
      (one, other) => Number(this.#connections.isDoubtful(one)) - Number(this.#connections.isDoubtful(other)),
    );
  }

  async #readMap(connection: RedisConnection, asked: Address | null): Promise<(Address | undefined)[]> {
    const ranges = (await connection.send(["CLUSTER", "SLOTS"])) as readonly (readonly Reply[])[];
    const addresses = new Array<Address | undefined>(SLOTS);
    for (const [first, last, master] of ranges) {
      const [host, port] = master as readonly [Buffer | null, number];
      const name = host?.toString() ?? "";
      // A node that does not know its own host name is at the address that was asked.
      const announced = { host: name === "" ? (asked?.host ?? "127.0.0.1") : name, port };
      addresses.fill(this.#connector.reach(announced), first as number, (last as number) + 1);
    }
    return addresses;
  }
}

/** The node that an error reply points to: `MOVED 3999 127.0.0.1:6381`. */
export function redirectionOf(
  message: string,
): { readonly isMoved: boolean; readonly address: Address } | null {
  const match = /^(MOVED|ASK) \d+ (.*):(\d+)/.exec(message);
  if (match === null) return null;
  const [, word, host, port] = match;
  return { isMoved: word === "MOVED", address: { host: host ?? "", port: Number(port) } };
}
