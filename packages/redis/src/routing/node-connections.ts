// One connection to each node of Redis in use, replaced after it has closed.

import type { Address, ConnectionHandler, Connector, RedisConnection } from "../client/connection.js";
import { before, deadlineFromNow, sleep } from "./deadline.js";
import { cannotConnect, closedEngine } from "./failures.js";

/** Milliseconds between two attempts, initially and at most. */
const MIN_DELAY = 20;
const MAX_DELAY = 1_000;

interface Node {
  readonly address: Address | null;
  connection: RedisConnection | null;
  connecting: Promise<RedisConnection> | null;
  failures: number;
  /** The error of the last attempt; undefined after a success. */
  failure: unknown;
  retryAt: number;
}

export interface NodeConnectionsHandler {
  onMessage(channel: string, payload: Buffer): void;
  onClosed(connection: RedisConnection): void;
}

export class NodeConnections {
  readonly #connector: Connector;
  readonly #handler: NodeConnectionsHandler;
  readonly #nodes = new Map<string, Node>();
  #isClosed = false;

  constructor(connector: Connector, handler: NodeConnectionsHandler) {
    this.#connector = connector;
    this.#handler = handler;
  }

  /** Returns the open connection to a node; null stands for the address that the client connects to. */
  opened(address: Address | null): RedisConnection | null {
    const connection = this.#nodes.get(keyOf(address))?.connection ?? null;
    return connection?.isOpen === true ? connection : null;
  }

  /** Whether an attempt to connect to this node has failed, or goes on. */
  isDoubtful(address: Address): boolean {
    const node = this.#nodes.get(keyOf(address));
    return node !== undefined && (node.connecting !== null || node.failure !== undefined);
  }

  /** All open connections. */
  get all(): readonly { readonly address: Address | null; readonly connection: RedisConnection }[] {
    return [...this.#nodes.values()].flatMap(({ address }) => {
      const connection = this.opened(address);
      return connection === null ? [] : [{ address, connection }];
    });
  }

  /** The error of the last attempt to connect to a node that cannot be reached; undefined if there is none. */
  get failure(): unknown {
    return [...this.#nodes.values()].find(({ failure }) => failure !== undefined)?.failure;
  }

  /** @throws EngineUnavailableError if there is none by the deadline */
  async get(address: Address | null, deadline: number): Promise<RedisConnection> {
    while (!this.#isClosed) {
      const open = this.opened(address);
      if (open !== null) return open;
      const node = this.#nodeAt(address);
      const wait = node.retryAt - performance.now();
      if (deadlineFromNow(Math.max(0, wait)) >= deadline) throw cannotConnect(node.failure);
      if (node.connecting === null && wait > 0) await sleep(wait);
      try {
        node.connecting ??= this.#connect(node);
        return await before(deadline, node.connecting, () => cannotConnect(node.failure));
      } catch {
        // Until the deadline, try again.
      }
    }
    throw closedEngine();
  }

  /** Closes a useless connection; the next call opens a new one. */
  drop(connection: RedisConnection): void {
    for (const node of this.#nodes.values()) if (node.connection === connection) node.connection = null;
    connection.close();
  }

  close(): void {
    this.#isClosed = true;
    for (const { connection } of this.#nodes.values()) connection?.close();
    this.#nodes.clear();
  }

  async #connect(node: Node): Promise<RedisConnection> {
    let connection: RedisConnection | null = null;
    const handler: ConnectionHandler = {
      onMessage: (channel, payload) => this.#handler.onMessage(channel, payload),
      onClosed: () => {
        if (connection === null) return;
        if (node.connection === connection) node.connection = null;
        this.#handler.onClosed(connection);
      },
    };
    try {
      connection = await this.#connector.connect(node.address, handler);
      if (this.#isClosed) {
        connection.close();
        throw closedEngine();
      }
      node.connection = connection;
      node.failures = 0;
      node.failure = undefined;
      return connection;
    } catch (error) {
      node.failure = error;
      const delay = Math.min(MAX_DELAY, MIN_DELAY * 2 ** node.failures++);
      node.retryAt = performance.now() + delay * (0.5 + Math.random() / 2);
      throw error;
    } finally {
      node.connecting = null;
    }
  }

  #nodeAt(address: Address | null): Node {
    const key = keyOf(address);
    let node = this.#nodes.get(key);
    if (node === undefined) {
      node = { address, connection: null, connecting: null, failures: 0, failure: undefined, retryAt: 0 };
      this.#nodes.set(key, node);
    }
    return node;
  }
}

function keyOf(address: Address | null): string {
  return address === null ? "" : `${address.host} ${address.port}`;
}
