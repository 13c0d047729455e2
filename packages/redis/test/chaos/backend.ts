import type { ChaosBackend } from "../../../holdfast/test-dist/topics/engine-chaos/chaos.js";
import { backend, openClient } from "../backends.js";
import { RedisServer } from "../redis-server.js";

export async function openChaosBackend(): Promise<ChaosBackend> {
  const server = await RedisServer.start();
  return {
    ...backend(await openClient("redis", server.port), [server]),
    port: server.port,
    program: new URL("process.js", import.meta.url),
    killServer: () => server.stop("SIGKILL"),
    startServer: () => server.start(),
  };
}
