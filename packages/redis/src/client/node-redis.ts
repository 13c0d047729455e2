// Connections by `redis` (node-redis).

import {
  CONNECT_TIMEOUT,
  mappedBy,
  namingChannels,
  rejectKeyPrefix,
  type Address,
  type Argument,
  type ConnectionHandler,
  type Connector,
  type RedisConnection,
  type Reply,
} from "./connection.js";
import { before, deadlineFromNow } from "../routing/deadline.js";

/** The part of the clients of `createClient()` of `redis` that the engine uses. */
export interface NodeRedis {
  readonly isReady: boolean;
  readonly options?: unknown;
  duplicate(override?: object): NodeRedis;
  connect(): Promise<unknown>;
  destroy(): void;
  sendCommand(args: (Buffer | string)[], options?: object): Promise<unknown>;
  sSubscribe(
    channels: string[],
    listener: (payload: Buffer, channel: Buffer) => void,
    bufferMode: true,
  ): Promise<void>;
  sUnsubscribe(channels: string[]): Promise<void>;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** The part of the clusters of `createCluster()` of `redis` that the engine uses. */
export interface NodeRedisCluster {
  readonly masters: readonly object[];
  nodeClient(node: never): unknown;
}

export class NodeRedisConnector implements Connector {
  readonly isCluster: boolean;
  readonly database: number;
  readonly #client: NodeRedis | NodeRedisCluster;
  readonly #map: unknown;
  /** Any node of the cluster will do, since only its options are used. */
  #template: NodeRedis | undefined;

  constructor(client: NodeRedis | NodeRedisCluster) {
    this.#client = client;
    this.isCluster = isCluster(client);
    const options = optionsOf(client);
    rejectKeyPrefix(options, options.defaults);
    this.database = this.isCluster ? 0 : (options.database ?? 0);
    this.#map = options.nodeAddressMap;
  }

  get nodes(): readonly Address[] {
    if (!isCluster(this.#client)) return [];
    return (this.#client.masters as readonly Address[]).map(({ host, port }) => this.reach({ host, port }));
  }

  reach(announced: Address): Address {
    return mappedBy(this.#map, announced);
  }

  async connect(address: Address | null, handler: ConnectionHandler): Promise<RedisConnection> {
    const source = await this.#source();
    const { socket } = (source.options ?? {}) as { readonly socket?: object };
    const client = source.duplicate({
      ...ONCE,
      ...(address === null ? {} : { url: undefined }),
      socket: { ...socket, ...address, reconnectStrategy: false, connectTimeout: CONNECT_TIMEOUT },
    });
    const connection = new NodeRedisConnection(client, handler);
    const timer = setTimeout(() => client.destroy(), CONNECT_TIMEOUT);
    try {
      await client.connect();
    } catch (error) {
      client.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    connection.onOpen();
    return connection;
  }

  async #source(): Promise<NodeRedis> {
    const client = this.#client;
    if (!isCluster(client)) return client;
    for (const node of client.masters) {
      if (this.#template !== undefined) break;
      // It connects to a node that it has not used yet, which may be down.
      const opening = client.nodeClient(node as never) as NodeRedis | Promise<NodeRedis>;
      this.#template = await before(
        deadlineFromNow(NODE_TIMEOUT),
        Promise.resolve(opening),
        noTemplate,
      ).catch(() => undefined);
    }
    if (this.#template === undefined) throw noTemplate();
    return this.#template;
  }
}

/** Milliseconds in which the client has to connect to a node. */
const NODE_TIMEOUT = 400;

function noTemplate(): Error {
  return new Error("The client knows no node of the cluster yet.");
}

/** The options of a client that matter here. */
interface Options {
  readonly database?: number;
  readonly defaults?: unknown;
  readonly nodeAddressMap?: unknown;
}

function optionsOf(client: NodeRedis | NodeRedisCluster): Options {
  const { _options } = client as { readonly _options?: Options }; // Of a cluster.
  return (isCluster(client) ? _options : (client.options as Options | undefined)) ?? {};
}

/** Never retry on its own: the engine decides. */
const ONCE = {
  disableOfflineQueue: true,
  pingInterval: undefined,
  clientSideCache: undefined,
  keyPrefix: undefined,
  readonly: false,
  maintNotifications: "disabled",
  commandsQueueMaxLength: undefined,
} as const;

/** Strings as bytes: `$`, and `+` for simple strings. */
const TYPES = { typeMapping: { 36: Buffer, 43: Buffer }, timeout: undefined } as const;

/** The errors that the client throws if it has no open socket. */
const UNSENT: ReadonlySet<string> = new Set(["ClientClosedError", "ClientOfflineError"]);

class NodeRedisConnection implements RedisConnection {
  readonly #client: NodeRedis;
  readonly #handler: ConnectionHandler;
  readonly #onMessage: (payload: Buffer, channel: Buffer) => void;
  #isOpen = false;
  /** The client forgets a channel when the reply arrives. Subscribing again before that would have no effect. */
  #unsubscribed: Promise<unknown> = Promise.resolve();

  constructor(client: NodeRedis, handler: ConnectionHandler) {
    this.#client = client;
    this.#handler = handler;
    this.#onMessage = (payload, channel) => handler.onMessage(channel.toString(), payload);
    client.on("error", () => this.close()); // Its socket has closed, or its parser is out of step.
    client.on("end", () => this.#onClosed());
  }

  onOpen(): void {
    this.#isOpen = true;
  }

  get isOpen(): boolean {
    return this.#isOpen && this.#client.isReady;
  }

  send(args: readonly Argument[]): Promise<Reply> {
    return this.#client.sendCommand([...args], TYPES) as Promise<Reply>; // RESP replies contain nothing else.
  }

  isUnsent(error: unknown): boolean {
    return error instanceof Error && UNSENT.has(error.constructor.name);
  }

  async subscribe(channels: readonly string[]): Promise<void> {
    await this.#unsubscribed;
    try {
      await this.#client.sSubscribe([...channels], this.#onMessage, true);
    } catch (error) {
      throw namingChannels(error, channels);
    }
  }

  unsubscribe(channels: readonly string[]): Promise<void> {
    const done = this.#client.sUnsubscribe([...channels]);
    this.#unsubscribed = Promise.allSettled([this.#unsubscribed, done]);
    return done;
  }

  close(): void {
    this.#client.destroy();
    this.#onClosed();
  }

  #onClosed(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#handler.onClosed();
  }
}

function isCluster(client: NodeRedis | NodeRedisCluster): client is NodeRedisCluster {
  return "nodeClient" in client;
}
