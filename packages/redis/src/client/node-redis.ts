// Connections by `redis` (node-redis).

import {
  CONNECT_TIMEOUT,
  namingChannels,
  type Address,
  type Argument,
  type ConnectionHandler,
  type Connector,
  type RedisConnection,
  type Reply,
} from "./connection.js";

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
  readonly #client: NodeRedis | NodeRedisCluster;
  /** Any node of the cluster will do, since only its options are used. */
  #template: NodeRedis | undefined;

  constructor(client: NodeRedis | NodeRedisCluster) {
    this.#client = client;
    this.isCluster = isCluster(client);
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
    const node = client.masters.at(0);
    if (node !== undefined) this.#template ??= (await client.nodeClient(node as never)) as NodeRedis;
    if (this.#template === undefined) throw new Error("The client knows no node of the cluster yet.");
    return this.#template;
  }
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
