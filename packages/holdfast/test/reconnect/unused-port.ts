// Finds a port without a listener: one that was free a moment ago.

import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";

export async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // A TCP server that listens has one.
  server.close();
  await once(server, "close");
  return port;
}
