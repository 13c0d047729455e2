// A connection between Holdfast and a peer; either of them may be the client.

import { connect, type Connection, type ConnectionOptions, serve, type Server } from "holdfast";
import { testCertificates, withTimeout } from "holdfast-testkit";
import type { Peer, Report, Script } from "./peer.js";

export interface Pair {
  /** Our end. */
  readonly connection: Connection;
  /** Waits for a report of the peer about its end. */
  readonly report: <Event extends Report["event"]>(
    event: Event,
  ) => Promise<Extract<Report, { event: Event }>>;
}

export interface PairOptions extends ConnectionOptions {
  /** Both ends use TLS; the peer was started with its part of `testCertificates()`. */
  readonly isSecure?: boolean;
  readonly subprotocols?: readonly string[];
}

let pairs = 0;

/** The path that makes a peer play the script, and the id of its reports. */
export function scriptPath(script: Script): { readonly id: string; readonly path: string } {
  const id = String(++pairs);
  return { id, path: `/${encodeURIComponent(JSON.stringify({ ...script, id }))}` };
}

/** Opens a connection on which the peer plays the script, runs `body`, and cleans up. */
export async function withPair(
  peer: Peer,
  script: Script,
  options: PairOptions,
  body: (pair: Pair) => Promise<void>,
): Promise<void> {
  const { id, path } = scriptPath(script);
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
  peer: Peer,
  path: string,
  { isSecure = false, ...options }: PairOptions,
): Promise<{ connection: Connection; server: Server | null }> {
  const certificates = isSecure ? await testCertificates() : null;
  if (peer.role === "server") {
    const tls = certificates === null ? undefined : { ca: certificates.ca };
    return { connection: await connect(peer.url + path, { ...options, tls }), server: null };
  }
  let welcome: (connection: Connection) => void = () => undefined;
  const welcomed = new Promise<Connection>((resolve) => (welcome = resolve));
  // Any origin: the page of a browser may have any.
  const server = await serve((connection) => welcome(connection), {
    host: "127.0.0.1",
    origins: "any",
    ...options,
    tls: certificates?.server,
  });
  peer.connect(server.url + path);
  try {
    return { connection: await withTimeout(welcomed, 30_000, "the peer to connect"), server };
  } catch (error) {
    await server.close();
    throw error;
  }
}
