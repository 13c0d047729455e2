// Redis is killed and started again under traffic: the sessions that it keeps go on.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connectPersistent, serve, type Server } from "holdfast";
import { redisSessionStore } from "../dist/index.js";
import { eventually } from "../../holdfast/test-dist/topics/eventually.js";
import { openClient } from "./backends.js";
import { missing, RedisServer } from "./redis-server.js";

const DURABLE = ["--appendonly", "yes", "--appendfsync", "always"];
const ROUNDS = 3;
const CLIENTS = 5;

describe("Sessions while Redis restarts", { skip: missing }, () => {
  for (const name of ["ioredis", "redis"] as const) {
    test(`L7 M8: attached sessions wait for Redis: nothing is lost, repeated or out of order (${name})`, async () => {
      const redis = await RedisServer.start(...DURABLE);
      const opened = await openClient(name, redis.port);
      const store = redisSessionStore({ client: opened.client });
      const lines: string[] = [];
      const note = (message: string): void => void lines.push(message);
      const server = await serve((connection) => connection.forEach((message) => connection.send(message)), {
        host: "127.0.0.1",
        pingInterval: null, // A busy machine is no part of this.
        logger: { debug: ignore, info: ignore, warn: note, error: note },
        sessions: { store, retain: 300_000 },
      });
      const clients = Array.from({ length: CLIENTS }, () => {
        const link = connectPersistent(server.url, { session: true, pingInterval: null, logger: null });
        const events: string[] = [];
        const received: string[] = [];
        link.on("detached", () => events.push("detached"));
        link.on("lost", ({ reason }) => events.push(`lost ${reason}`));
        void link.forEach((message) => void received.push(message as string));
        return { link, events, received };
      });
      try {
        // On a busy machine it takes longer to connect than a call may take.
        for (const { received, link } of clients) {
          await link.send("0");
          await eventually(() => assert.equal(received.length, 1), 60_000);
        }
        for (const { events } of clients) events.length = 0;
        let sent = 1;
        const deliveries: Promise<void>[] = [];
        const sendToAll = (): void => {
          for (const { link } of clients) deliveries.push(link.send(`${sent}`, { until: "delivered" }));
          sent++;
        };
        const traffic = setInterval(sendToAll, 20);
        try {
          for (let round = 0; round < ROUNDS; round++) {
            const before = clients[0].received.length;
            await eventually(() => assert.ok(clients[0].received.length > before + 5), 60_000);
            await redis.stop("SIGKILL");
            await eventually(() => assert.equal(lines.at(-1), "session store failed, sessions wait"), 60_000);
            await redis.start();
            await eventually(() => assert.equal(lines.at(-1), "session store works again"), 60_000);
          }
        } finally {
          clearInterval(traffic);
        }
        await Promise.all(deliveries);
        const expected = Array.from({ length: sent }, (_, index) => `${index}`);
        for (const { received, events } of clients) {
          await eventually(() => assert.equal(received.length, sent), 60_000);
          assert.deepEqual(received, expected);
          assert.deepEqual(events, []);
        }
      } finally {
        for (const { link } of clients) link.terminate();
        await server.close({ timeout: 1_000 });
        await store[Symbol.asyncDispose]();
        opened.close();
        await redis.close();
      }
    });
  }
  test("L7 M8: a session goes on after Redis was emptied: it is saved again, and another process can claim it", async () => {
    const redis = await RedisServer.start();
    const opened = await openClient("ioredis", redis.port);
    const store = redisSessionStore({ client: opened.client });
    const open = (port: number): Promise<Server> =>
      serve((connection) => connection.forEach((message) => connection.send(message)), {
        host: "127.0.0.1",
        port,
        logger: null,
        sessions: { store, retain: 300_000 },
      });
    let server = await open(0);
    const link = connectPersistent(server.url, { session: true, firstDelay: 10, logger: null });
    const received: unknown[] = [];
    const losses: string[] = [];
    link.on("lost", ({ reason }) => losses.push(reason));
    void link.forEach((message) => void received.push(message));
    try {
      await link.send("before", { until: "delivered" });
      await redis.admin.flushall();
      await link.send("after", { until: "delivered" });
      await eventually(() => assert.deepEqual(received, ["before", "after"]));
      const { port } = server;
      await server.close({ timeout: 1_000 });
      server = await open(port);
      await link.send("on the next server", { until: "delivered" });
      await eventually(() => assert.deepEqual(received, ["before", "after", "on the next server"]));
      assert.deepEqual(losses, []);
    } finally {
      link.terminate();
      await server.close({ timeout: 1_000 });
      await store[Symbol.asyncDispose]();
      opened.close();
      await redis.close();
    }
  });
});

function ignore(): void {
  // Nobody reads it.
}
