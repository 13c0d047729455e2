// While a process does not run, what the server answers is unread, and no sign of an outage.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { blockEventLoop } from "holdfast-testkit";
import { redisEngine } from "../dist/index.js";
import { openClient } from "./backends.js";
import { publishingWith } from "../../holdfast/test-dist/topics/engine-calls.js";
import { eventually } from "../../holdfast/test-dist/topics/eventually.js";
import { missing, RedisServer } from "./redis-server.js";

const publish = publishingWith({ messages: 100, age: 300_000 });

describe("An event loop that is blocked, with Redis", { skip: missing }, () => {
  for (const name of ["ioredis", "redis"] as const) {
    test(`M8: a call whose answer is unread after 4 s does not fail, with ${name}`, async () => {
      const server = await RedisServer.start();
      const opened = await openClient(name, server.port);
      const engine = redisEngine({ client: opened.client });
      try {
        await eventually(() => publish(engine, "a", "0"));
        const published = [1, 2, 3].map((index) => publish(engine, "a", `${index}`));
        await new Promise(setImmediate); // They are sent.
        blockEventLoop(4_000);
        const offsets = (await Promise.all(published)).map(({ offset }) => offset);
        assert.deepEqual(offsets, [2, 3, 4]);
        const late = publish(engine, "a", "4"); // Not sent yet.
        blockEventLoop(4_000);
        assert.equal((await late).offset, 5);
      } finally {
        await engine[Symbol.asyncDispose]();
        opened.close();
        await server.close();
      }
    });
  }
});
