// A session over real sockets, through a proxy that can cut them.

import {
  connectPersistent,
  serve,
  type CloseInfo,
  type Connection,
  type ConnectPersistentOptions,
  type PersistentConnection,
  type ServeOptions,
  type Server,
} from "../../../build/index.js";
import { eventually, FaultProxy, type RawClient, type RawPeer } from "holdfast-testkit";

export interface PairOptions {
  readonly server?: Partial<ServeOptions>;
  readonly client?: Partial<ConnectPersistentOptions>;
  readonly handler?: (connection: Connection) => unknown;
}

export class SessionPair implements AsyncDisposable {
  readonly server: Server;
  readonly proxy: FaultProxy;
  readonly client: PersistentConnection;
  /** The connections that the handler got. */
  readonly connections: Connection[];

  static async open(options: PairOptions = {}): Promise<SessionPair> {
    const pair = await SessionPair.begin(options);
    await eventually(() => pair.connections.length > 0 && pair.client.status.state === "open", "the session");
    return pair;
  }

  /** Resolves before the client has connected. */
  static async begin({ server: serverOptions, client, handler }: PairOptions = {}): Promise<SessionPair> {
    const connections: Connection[] = [];
    const server = await serve(
      async (connection) => {
        connections.push(connection);
        await (handler ?? keepOpen)(connection);
      },
      { host: "127.0.0.1", sessions: true, ...serverOptions },
    );
    const proxy = await FaultProxy.start({ target: { port: server.port } });
    const opened = connectPersistent(proxy.url("ws"), {
      session: true,
      minDelay: 0,
      firstDelay: 5,
      maxDelay: 5,
      ...client,
    });
    return new SessionPair(server, proxy, opened, connections);
  }

  private constructor(
    server: Server,
    proxy: FaultProxy,
    client: PersistentConnection,
    connections: Connection[],
  ) {
    this.server = server;
    this.proxy = proxy;
    this.client = client;
    this.connections = connections;
  }

  /** The server's connection of the first session. */
  get connection(): Connection {
    return this.connections[0];
  }

  /** Cuts the socket; no other follows until `reconnect()`. */
  async cut(kind: "fin" | "rst" = "rst"): Promise<void> {
    await this.proxy.accept("reset");
    this.proxy.cut({ kind });
    await eventually(() => !this.isAttached, "the end of the socket");
  }

  async reconnect(): Promise<void> {
    await this.proxy.accept("forward");
    await eventually(
      () => this.client.session?.isAttached === true && this.connection.session?.isAttached === true,
      "the resumption",
    );
  }

  get isAttached(): boolean {
    return this.client.session?.isAttached === true || this.connection.session?.isAttached === true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.terminate();
    for (const connection of this.connections) connection.terminate();
    await this.proxy.close();
    await this.server.close();
  }
}

/** A handler that leaves reading to the test. */
export async function keepOpen(connection: Connection): Promise<CloseInfo> {
  return new Promise((resolve) => {
    connection.signal.addEventListener("abort", () => resolve(connection.closed));
  });
}

/** The next event of this name. */
export function next(
  emitter: Connection | PersistentConnection,
  name: "detached" | "lost" | "resumed",
): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    const stop = (emitter as Connection).on(name, (event) => {
      stop();
      resolve(event as unknown as Record<string, unknown>);
    });
  });
}

/** That many messages. */
export async function receive(
  from: Connection | PersistentConnection,
  count: number,
): Promise<(string | Uint8Array)[]> {
  const messages: (string | Uint8Array)[] = [];
  while (messages.length < count) messages.push(await from.recv({ timeout: 30_000 }));
  return messages;
}

/** Upgrades a scripted client to version 2 of the link protocol. */
export async function upgradeToSessions(peer: RawClient, subprotocol = "holdfast.v2"): Promise<void> {
  await peer.upgrade({ headers: { "Sec-WebSocket-Protocol": subprotocol } });
}

/** Sends a word of the session. */
export function say(peer: RawPeer, word: string): void {
  peer.sendText(`\u0016${word}`);
}

/** The text of the next text message. */
export async function hear(peer: RawPeer): Promise<string> {
  for (;;) {
    const { opcode, payload } = await peer.readFrame();
    if (opcode === 1) return Buffer.from(payload).toString();
    if (opcode === 8)
      return `Close ${Buffer.from(payload).readUInt16BE()} ${Buffer.from(payload.subarray(2)).toString()}`;
    if (opcode === 9) peer.sendPong(payload);
  }
}

/** The words of the next text message, without SYN. */
export async function hearWords(peer: RawPeer): Promise<string[]> {
  return (await hear(peer)).slice(1).split(" ");
}
