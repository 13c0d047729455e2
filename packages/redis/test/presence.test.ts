import { describe } from "node:test";
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

  testLeaving(missing, () => openStandalone("ioredis"));
});
