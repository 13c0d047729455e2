// The tests that every engine of topics passes, on NATS.

import { test } from "node:test";
import type { NatsConnection } from "@nats-io/transport-node";
import { FaultProxy } from "holdfast-testkit";
import { natsEngine } from "../dist/index.js";
import { abandonEngine } from "../dist/topics/nats-engine.js";
import { testEngine, type EngineBackend } from "../../holdfast/test-dist/topics/engine-contract.js";
import { missing, NatsServer, openConnection } from "./nats-server.js";

async function openBackend(): Promise<EngineBackend> {
  const server = await NatsServer.start();
  const proxy = await FaultProxy.start({ target: { port: server.port } });
  const connections: NatsConnection[] = [];
  return {
    open: async () => {
      const connection = await openConnection(proxy.port);
      connections.push(connection);
      return natsEngine({ connection });
    },
    cutSubscriptions: () => {
      for (const connection of proxy.connections) connection.cut({ kind: "rst" });
      return Promise.resolve();
    },
    stop: () => server.stop(),
    startEmpty: async () => {
      server.erase();
      await server.start();
    },
    kill: (engine) => {
      abandonEngine(engine);
      return Promise.resolve();
    },
    close: async () => {
      for (const connection of connections) await connection.close();
      await proxy.close();
      await server.close();
    },
  };
}

if (missing === false) {
  testEngine("on NATS", ["processes", "cuts", "restarts"], openBackend);
} else {
  test("M1: topics over NATS", { skip: missing });
}
