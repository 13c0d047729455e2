import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually } from "../../holdfast/test-dist/topics/eventually.js";
import { testLeaving, testSleeper } from "../../holdfast/test-dist/topics/presence-tests.js";
import { backend, openClient, openStandalone } from "./backends.js";
import { missing, RedisServer } from "./redis-server.js";

const program = new URL("presence-process.js", import.meta.url);

describe("Presence on Redis", { concurrency: 3 }, () => {
  for (const name of ["ioredis", "redis"] as const) {
    testSleeper({ program, suffix: `, with ${name}`, skip: missing }, async () => {
      const server = await RedisServer.start();
      return { ...backend(await openClient(name, server.port), [server]), args: [String(server.port), name] };
    });
  }

  test(
    "M5: an engine that is closed after its members have left leaves no lease",
    { skip: missing },
    async () => {
      const server = await RedisServer.start();
      const { open, close } = backend(await openClient("ioredis", server.port), [server]);
      const engine = await open();
      await eventually(() => engine.presence.join("room", { id: "1", data: null }));
      await engine.presence.leave("room", "1");
      await engine[Symbol.asyncDispose]();
      assert.deepEqual(await server.admin.keys("*:[lpt]*"), []);
      await close();
    },
  );

  testLeaving(missing, () => openStandalone("ioredis"));
});
