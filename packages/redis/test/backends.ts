// The backends of the tests: a server or a cluster, with either client.

import { Cluster, Redis } from "ioredis";
import { createClient, createCluster } from "redis";
import type { Engine } from "holdfast/topics";
import { redisEngine } from "../dist/index.js";
import type { RedisClient } from "../dist/index.js";
import { abandonEngine } from "../dist/topics/redis-engine.js";
import type { EngineBackend } from "../../holdfast/test-dist/topics/engine-contract.js";
import { quiet, RedisServer, startCluster } from "./redis-server.js";

export type ClientName = "ioredis" | "redis";

export interface OpenedClient {
  readonly client: RedisClient;
  readonly close: () => void;
}

/** The client of an application, connected to a server. */
export async function openClient(name: ClientName, port: number): Promise<OpenedClient> {
  if (name === "ioredis") {
    const client = quiet(new Redis(port, "127.0.0.1"));
    return { client, close: () => client.disconnect() };
  }
  const client = quiet(createClient({ socket: { host: "127.0.0.1", port } }));
  await client.connect();
  return { client, close: () => client.destroy() };
}

export async function openClusterClient(name: ClientName, port: number): Promise<OpenedClient> {
  if (name === "ioredis") {
    const client = quiet(new Cluster([{ host: "127.0.0.1", port }]));
    await new Promise<void>((resolve) => void client.once("ready", resolve));
    return { client, close: () => client.disconnect() };
  }
  const client = quiet(createCluster({ rootNodes: [{ socket: { host: "127.0.0.1", port } }] }));
  await client.connect();
  return { client, close: () => client.destroy() };
}

export async function openStandalone(name: ClientName): Promise<EngineBackend> {
  const server = await RedisServer.start();
  return backend(await openClient(name, server.port), [server]);
}

export async function openCluster(name: ClientName): Promise<EngineBackend> {
  const servers = await startCluster();
  return backend(await openClusterClient(name, servers[0].port), servers);
}

export function backend(
  opened: OpenedClient,
  servers: readonly RedisServer[],
): Required<Omit<EngineBackend, "advance">> {
  const all = async (act: (server: RedisServer) => Promise<unknown>): Promise<void> => {
    await Promise.all(servers.map(act));
  };
  return {
    open: () => redisEngine({ client: opened.client }),
    cutSubscriptions: () => all(({ admin }) => admin.call("CLIENT", "KILL", "TYPE", "pubsub")),
    stop: () => all((server) => server.stop()),
    startEmpty: () => all((server) => server.start()),
    kill: (engine: Engine) => {
      abandonEngine(engine);
      return Promise.resolve();
    },
    close: async () => {
      opened.close();
      await all((server) => server.close());
    },
  };
}
