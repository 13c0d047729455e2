import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Position } from "holdfast/topics";
import { FaultProxy } from "holdfast-testkit";
import { redisEngine } from "../dist/index.js";
import { openClient } from "./backends.js";
import { publishingWith } from "../../holdfast/test-dist/topics/engine-calls.js";
import { eventually } from "../../holdfast/test-dist/topics/eventually.js";
import { missing, RedisServer } from "./redis-server.js";

const publish = publishingWith({ messages: 100, age: 300_000 });

describe("A silent connection to Redis", { skip: missing, concurrency: 2 }, () => {
  for (const name of ["ioredis", "redis"] as const) {
    test(`M3: a subscription that is silent without a word is replaced after 6 s, with ${name}`, async () => {
      const server = await RedisServer.start();
      const proxy = await FaultProxy.start({ target: { port: server.port } });
      const [direct, proxied] = [await openClient(name, server.port), await openClient(name, proxy.port)];
      const publisher = redisEngine({ client: direct.client });
      const receiver = redisEngine({ client: proxied.client });
      try {
        const received: unknown[] = [];
        const reported: (Position | null)[] = [];
        await eventually(() =>
          receiver.listen(
            "a",
            ({ data }) => void received.push(data),
            (newest) => void reported.push(newest),
          ),
        );
        // The channel on which it hears from itself, in the partition of the topic.
        await eventually(async () => {
          const channels = (await server.admin.call("PUBSUB", "SHARDCHANNELS")) as string[];
          const prefix = channels.find((channel) => channel.endsWith(":c:a"))?.slice(0, -"c:a".length);
          assert.ok(channels.includes(`${prefix}n:${receiver.node}`), channels.join());
        });
        // All its connections are half-open from now on: no byte, no FIN.
        for (const connection of proxy.connections) connection.blackhole();
        const { epoch, offset } = await eventually(() => publish(publisher, "a", "missed", { id: "missed" }));
        await eventually(() => assert.deepEqual(reported.at(-1), { epoch, offset }), 30_000);
        await eventually(() => publish(publisher, "a", "next", { id: "next" }));
        await eventually(() => assert.deepEqual(received, ["next"]));
      } finally {
        await receiver[Symbol.asyncDispose]();
        await publisher[Symbol.asyncDispose]();
        direct.close();
        proxied.close();
        await proxy.close();
        await server.close();
      }
    });
  }
});
