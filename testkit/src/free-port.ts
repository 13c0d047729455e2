import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** Systems take the ports of connections, and of servers that ask for any port, from those above (Linux: 32,768). */
const LAST = 32_767;
/** The bus of a Redis cluster has the port of its server and so much. */
const BUS = 10_000;

/**
 * A port of the loopback interface that is free, as is the one 10,000 above. No other process is expected to take it:
 * a system gives it to nobody that does not ask for it, and each call returns a random one.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, LAST - BUS + 1);
    if ((await isFree(port)) && (await isFree(port + BUS))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, "127.0.0.1"), "listening");
  } catch {
    return false;
  }
  await once(server.close(), "close");
  return true;
}
