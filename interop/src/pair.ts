// A connection between Holdfast and a peer in Python, whichever of them connects.

import { connect, type Connection, type ConnectionOptions, serve, type Server } from "holdfast";
import { withTimeout } from "holdfast-testkit";
import type { PythonPeer, Report, Script } from "./python-peer.js";

export interface Pair {
  /** Our end. */
  readonly connection: Connection;
  /** Waits for what Python reports of its end. */
  readonly report: <Event extends Report["event"]>(
    event: Event,
  ) => Promise<Extract<Report, { event: Event }>>;
}

let pairs = 0;

/** Opens a connection on which Python plays the script, runs `body`, and leaves nothing behind. */
export async function withPair(
  peer: PythonPeer,
  script: Script,
  options: ConnectionOptions,
  body: (pair: Pair) => Promise<void>,
): Promise<void> {
  const id = String(++pairs);
  const path = `/${encodeURIComponent(JSON.stringify({ ...script, id }))}`;
  const { connection, server } = await open(peer, path, options);
  try {
    await body({ connection, report: (event) => peer.report(event, id) });
  } finally {
    connection.terminate();
    await connection.closed;
    await server?.close();
  }
}

async function open(
  peer: PythonPeer,
  path: string,
  options: ConnectionOptions,
): Promise<{ connection: Connection; server: Server | null }> {
  if (peer.role === "server") return { connection: await connect(peer.url + path, options), server: null };
  let welcome: (connection: Connection) => void = () => undefined;
  const welcomed = new Promise<Connection>((resolve) => (welcome = resolve));
  const server = await serve((connection) => welcome(connection), { host: "127.0.0.1", ...options });
  peer.connect(server.url + path);
  try {
    return { connection: await withTimeout(welcomed, 10_000, "Python to connect"), server };
  } catch (error) {
    await server.close();
    throw error;
  }
}
