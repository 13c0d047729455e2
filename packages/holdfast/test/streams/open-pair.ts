// Two ends of a connection over real sockets, for the tests of a file.

import { afterEach } from "node:test";
import { connect, serve, type Connection, type ConnectOptions } from "../../build/index.js";

export const QUIET = { pingInterval: null, closeTimeout: 5_000 };

export interface Pair {
  readonly local: Connection;
  readonly peer: Connection;
}

/** Called after each test, the last one first. */
export const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export async function openPair(options: ConnectOptions = {}): Promise<Pair> {
  const accepted: Connection[] = [];
  const server = await serve((connection) => void accepted.push(connection), { host: "127.0.0.1", ...QUIET });
  cleanups.push(() => server.close({ timeout: 0 }));
  const local = await connect(server.url, { ...QUIET, ...options });
  return { local, peer: accepted[0] };
}
