// The addresses of a cluster: the client's map of them, and a node that is down when the engine starts.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Cluster } from "ioredis";
import { createCluster } from "redis";
import { publishingWith } from "../../holdfast/test-dist/topics/engine-calls.js";
import { eventually } from "../../holdfast/test-dist/topics/eventually.js";
import { Partitions } from "../dist/routing/partitions.js";
import { openClusterClient, type ClientName, type OpenedClient } from "./backends.js";
import { missing, quiet, type RedisServer } from "./redis-server.js";
import { useResources } from "./resources.js";

const publish = publishingWith({ messages: 100, age: 300_000 });
const { startCluster, engineOf } = useResources();
const topics = Array.from({ length: 20 }, (_, index) => `topic ${index}`);

for (const name of ["ioredis", "redis"] as const) {
  describe(`The addresses of a cluster, with ${name}`, { skip: missing }, () => {
    test("M1: the engine reaches nodes by the client's map of addresses", async () => {
      const servers = await startCluster();
      for (const { admin, port } of servers) {
        await admin.call("CONFIG", "SET", "cluster-announce-hostname", `node-${port}.invalid`);
        await admin.call("CONFIG", "SET", "cluster-preferred-endpoint-type", "hostname");
      }
      for (const { admin } of servers) {
        await eventually(async () => {
          const slots = JSON.stringify(await admin.call("CLUSTER", "SLOTS"));
          assert.equal(slots.match(/node-\d+\.invalid/g)?.length, 3);
        }, 30_000);
      }
      const { client, close } = await openMapped(name, servers);
      const engine = engineOf(client, close);
      for (const topic of topics) await eventually(() => publish(engine, topic, "text", { id: "1" }), 30_000);
    });

    test("M8: an engine starts while the first node that its client knows is down", async () => {
      const servers = await startCluster();
      for (const { admin } of servers)
        await admin.call("CONFIG", "SET", "cluster-require-full-coverage", "no");
      const { client, close } = await openClusterClient(name, servers[0].port);
      const first = firstPort(client);
      const index = servers.findIndex(({ port }) => port === first);
      const engine = engineOf(client, close);
      await servers[index]?.pause();
      try {
        const partitions = new Partitions("holdfast:");
        const others = topics.filter(
          (topic) => Math.floor((partitions.of(topic).slot * 3) / 16384) !== index,
        );
        assert.ok(others.length > 0);
        await eventually(() => publish(engine, others[0] ?? "", "text", { id: "1" }), 30_000);
        for (const topic of others)
          await eventually(() => publish(engine, topic, "text", { id: "2" }), 30_000);
      } finally {
        servers[index]?.resume();
      }
    });
  });
}

async function openMapped(name: ClientName, servers: readonly RedisServer[]): Promise<OpenedClient> {
  const map = Object.fromEntries(
    servers.map(({ port }) => [`node-${port}.invalid:${port}`, { host: "127.0.0.1", port }]),
  );
  const { port } = servers[0] ?? { port: 0 };
  if (name === "ioredis") {
    const client = quiet(new Cluster([{ host: "127.0.0.1", port }], { natMap: map }));
    await new Promise<void>((resolve) => void client.once("ready", resolve));
    return { client, close: () => client.disconnect() };
  }
  const client = quiet(
    createCluster({
      rootNodes: [{ socket: { host: "127.0.0.1", port } }],
      nodeAddressMap: (address) => map[address],
    }),
  );
  await client.connect();
  return { client, close: () => client.destroy() };
}

function firstPort(client: OpenedClient["client"]): number | undefined {
  const { masters, nodes } = client as unknown as {
    readonly masters?: readonly { readonly port: number }[];
    readonly nodes?: (role: string) => readonly { readonly options: { readonly port: number } }[];
  };
  return masters === undefined ? nodes?.call(client, "all")[0]?.options.port : masters[0]?.port;
}
