// A connection between the library and a scripted peer, over a network with faults.

import { connect, serve, type Connection, type ConnectionOptions } from "holdfast";
import { FaultProxy, RawClient, RawServer, type Direction, type RawPeer } from "holdfast-testkit";

export const ROLES = ["client", "server"] as const;

export interface Pair {
  readonly connection: Connection;
  readonly peer: RawPeer;
  readonly proxy: FaultProxy;
  /** The direction from the library to the peer. */
  readonly toPeer: Direction;
  close(): Promise<void>;
}

/** Opens a connection in which the library has this role. */
export function openPair(role: (typeof ROLES)[number], options: ConnectionOptions): Promise<Pair> {
  return role === "client" ? openClient(options) : openServer(options);
}

async function openClient(options: ConnectionOptions): Promise<Pair> {
  const server = await RawServer.start();
  const proxy = await FaultProxy.start({ target: { port: server.port } });
  const opening = connect(proxy.url("ws"), options);
  const peer = await server.nextPeer();
  await peer.acceptUpgrade();
  const connection = await opening;
  const close = async () => {
    connection.terminate();
    await connection.closed;
    await proxy.close();
    await server.close();
  };
  return { connection, peer, proxy, toPeer: "toServer", close };
}

async function openServer(options: ConnectionOptions): Promise<Pair> {
  let take: (connection: Connection) => void = () => undefined;
  const accepted = new Promise<Connection>((resolve) => (take = resolve));
  const server = await serve((connection) => take(connection), { host: "127.0.0.1", ...options });
  const proxy = await FaultProxy.start({ target: { port: server.port } });
  const peer = await RawClient.connect({ port: proxy.port });
  await peer.upgrade();
  const connection = await accepted;
  const close = async () => {
    connection.terminate();
    await connection.closed;
    await peer.close();
    await proxy.close();
    await server.close();
  };
  return { connection, peer, proxy, toPeer: "toClient", close };
}

/** Answers every ping, as a healthy peer does, and discards everything else. Ends with the connection. */
export async function answerPings(peer: RawPeer): Promise<void> {
  for (;;) {
    const frame = await peer.readFrame({ timeout: 60_000 }).catch(() => null);
    if (frame === null) return;
    if (frame.opcode === 9) peer.sendPong(frame.payload);
  }
}
