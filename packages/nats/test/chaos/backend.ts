import { FaultProxy } from "holdfast-testkit";
import { natsEngine } from "../../dist/index.js";
import type { ChaosBackend } from "../../../holdfast/test-dist/topics/engine-chaos/chaos.js";
import { NatsServer } from "../nats-server.js";

export async function openChaosBackend(): Promise<ChaosBackend> {
  const server = await NatsServer.start();
  // Only the processes go through it: the test itself has to reach the server.
  const proxy = await FaultProxy.start({ target: { port: server.port } });
  const connection = await server.connect();
  return {
    open: () => natsEngine({ connection }),
    port: proxy.port,
    program: new URL("process.js", import.meta.url),
    cutSubscriptions: () => {
      for (const one of proxy.connections) one.cut({ kind: "rst" });
      return Promise.resolve();
    },
    killServer: () => server.stop(),
    startServer: () => server.start(),
    close: async () => {
      await connection.close();
      await proxy.close();
      await server.close();
    },
  };
}
