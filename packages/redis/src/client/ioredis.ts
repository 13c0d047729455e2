// Connections by `ioredis`.

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

/** The part of `Redis` of `ioredis` that the engine uses. */
export interface IoRedis {
  readonly status: string;
  duplicate(override?: object): IoRedis;
  connect(): Promise<void>;
  disconnect(reconnect?: boolean): void;
  callBuffer(command: string, ...args: (Buffer | string)[]): Promise<unknown>;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** The part of `Cluster` of `ioredis` that the engine uses. */
export interface IoRedisCluster {
  nodes(role?: "all"): IoRedis[];
}

export class IoRedisConnector implements Connector {
  readonly isCluster: boolean;
  readonly database: number;
  readonly #client: IoRedis | IoRedisCluster;
  readonly #map: unknown;
  /** Any node of the cluster will do, since only its options are used. */
  #template: IoRedis | undefined;

  constructor(client: IoRedis | IoRedisCluster) {
    this.#client = client;
    this.isCluster = isCluster(client);
    const options = optionsOf(client);
    rejectKeyPrefix(options, options.redisOptions);
    this.database = this.isCluster ? 0 : (options.db ?? 0);
    this.#map = options.natMap;
  }

  get nodes(): readonly Address[] {
    if (!isCluster(this.#client)) return [];
    return this.#client.nodes("all").flatMap((node) => {
      const { host, port } = optionsOf(node);
      return host === undefined || port === undefined ? [] : [{ host, port }];
    });
  }

  reach(announced: Address): Address {
    return mappedBy(this.#map, announced);
  }

  async connect(address: Address | null, handler: ConnectionHandler): Promise<RedisConnection> {
    const client = this.#source().duplicate({
      ...ONCE,
      ...(address === null ? {} : { ...address, sentinels: undefined }),
    });
    const connection = new IoRedisConnection(client, handler);
    const timer = setTimeout(() => client.disconnect(), CONNECT_TIMEOUT);
    try {
      await client.connect();
    } catch (error) {
      client.disconnect();
      throw connection.failure ?? error;
    } finally {
      clearTimeout(timer);
    }
    connection.onOpen();
    return connection;
  }

  #source(): IoRedis {
    const client = this.#client;
    if (!isCluster(client)) return client;
    this.#template = client.nodes("all").at(0) ?? this.#template;
    if (this.#template === undefined) throw new Error("The client knows no node of the cluster yet.");
    return this.#template;
  }
}

/** The options of a client that matter here. */
interface Options extends Partial<Address> {
  readonly db?: number;
  readonly natMap?: unknown;
  readonly redisOptions?: unknown;
}

function optionsOf(client: object): Options {
  return (client as { readonly options?: Options }).options ?? {}; // In both clients.
}

/** Never retry on its own: the engine decides. */
const ONCE = {
  lazyConnect: true,
  retryStrategy: null,
  reconnectOnError: null,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: null,
  enableOfflineQueue: false,
  enableAutoPipelining: false,
  enableReadyCheck: true,
  connectTimeout: CONNECT_TIMEOUT,
  commandTimeout: undefined,
  keyPrefix: "",
  readOnly: false,
  stringNumbers: false,
} as const;

class IoRedisConnection implements RedisConnection {
  readonly #client: IoRedis;
  #isOpen = false;
  #isClosing = false;
  /** Why it did not open: `connect()` of the client only says that it has closed. */
  failure: unknown;

  constructor(client: IoRedis, handler: ConnectionHandler) {
    this.#client = client;
    // Rejects the pending commands; the event "end" follows.
    client.on("error", (error) => (this.failure = error));
    client.on("smessageBuffer", (channel, payload) => handler.onMessage(String(channel), payload as Buffer));
    client.on("end", () => {
      if (!this.#isOpen) return;
      this.#isOpen = false;
      handler.onClosed();
    });
  }

  onOpen(): void {
    this.#isOpen = true;
  }

  get isOpen(): boolean {
    return this.#isOpen && this.#client.status === "ready";
  }

  send([command, ...args]: readonly Argument[]): Promise<Reply> {
    return this.#client.callBuffer(String(command), ...args) as Promise<Reply>; // RESP replies contain nothing else.
  }

  isUnsent(error: unknown): boolean {
    return error instanceof Error && error.message.startsWith("Stream isn't writeable");
  }

  async subscribe(channels: readonly string[]): Promise<void> {
    try {
      await this.send(["ssubscribe", ...channels]);
    } catch (error) {
      throw namingChannels(error, channels);
    }
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    await this.send(["sunsubscribe", ...channels]);
  }

  close(): void {
    // Each call of disconnect() adds a listener to the socket, and every failed command calls it.
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#client.disconnect();
  }
}

function isCluster(client: IoRedis | IoRedisCluster): client is IoRedisCluster {
  return "nodes" in client; // `isCluster` is in both.
}
