import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";

/**
 * A port of the loopback interface that is free now; no other process is expected to take it in the meantime.
 * @param below the port is smaller than this
 */
export async function freePort(below = 65_536): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo; // It listens on TCP.
    await once(server.close(), "close");
    if (port < below) return port;
  }
}
