import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine, EngineUnavailableError, Published } from "holdfast/topics";
import type { RedisEngineOptions } from "../dist/index.js";
import {
  failureWithin,
  ignore,
  publication,
  publishingWith,
} from "../../holdfast/test-dist/topics/engine-calls.js";
import { eventually } from "../../holdfast/test-dist/topics/eventually.js";
import { follow } from "./follow.js";
import { missing, type RedisServer } from "./redis-server.js";
import { useResources } from "./resources.js";

const HISTORY = { messages: 10_000, age: 300_000 };
/** The promise is 2 s; timers of a busy machine are late. */
const MAX_ANSWER = 3_000;
const publish = publishingWith(HISTORY);
const failureOf = failureWithin(MAX_ANSWER);

for (const name of ["ioredis", "redis"] as const) {
  describe(`Failures of Redis, with ${name}`, { skip: missing, concurrency: 4 }, () => {
    const { start, open: openWith } = useResources();
    const open = (server: RedisServer, options?: Partial<RedisEngineOptions>): Promise<Engine> =>
      openWith(server, name, options);

    test("M8: while Redis is down, each call rejects within 2 s, and nothing was sent", async () => {
      const server = await start();
      const engine = await open(server);
      await eventually(() => publish(engine, "a", "before", { id: "before" }));
      await server.stop();
      // A call may be sent before its process learns that Redis is gone.
      await eventually(async () =>
        assert.equal((await failureOf(() => publish(engine, "a", "down"))).outcome, "unsent"),
      );
      const calls = [
        (): Promise<unknown> => publish(engine, "a", "down"),
        (): Promise<unknown> => engine.listen("b", ignore, ignore),
        (): Promise<unknown> => engine.read("a", { epoch: "e", offset: 0 }, 1),
        (): Promise<unknown> => engine.presence.list("a"),
        (): Promise<unknown> => engine.presence.join("a", { id: "1", data: 1 }),
        (): Promise<unknown> => engine.request("node", new Uint8Array(0), 5_000),
      ];
      const outcomes = await Promise.all(calls.map((call) => failureOf(call)));
      assert.deepEqual(
        outcomes.map(({ outcome }) => outcome),
        calls.map(() => "unsent"),
      );
      await server.start();
      assert.equal((await eventually(() => publish(engine, "a", "after", { id: "after" }))).offset, 1);
    });

    test("M8: a Redis that hangs is noticed within 2 s, and the outcome is unknown", async () => {
      const server = await start();
      const engine = await open(server);
      await eventually(() => publish(engine, "a", "before", { id: "before" }));
      await server.pause();
      try {
        assert.equal((await failureOf(() => publish(engine, "a", "hangs"))).outcome, "unknown");
      } finally {
        server.resume();
      }
      await eventually(() => publish(engine, "a", "after", { id: "after" }));
    });

    test("M8: a replica, a full memory and a denied command are errors at once, and nothing was sent", async () => {
      const server = await start();
      const engine = await open(server);
      await eventually(() => publish(engine, "a", "first", { id: "first" }));
      const { admin } = server;
      await admin.call("CONFIG", "SET", "maxmemory", "1");
      assert.match((await failureOf(() => publish(engine, "a", "full"))).message, /memory/);
      assert.match((await failureOf(() => publish(engine, "new", "full"))).message, /memory/);
      await admin.call("CONFIG", "SET", "maxmemory", "0");
      await admin.call("REPLICAOF", "127.0.0.1", "1");
      const readOnly = await failureOf(() => publish(engine, "a", "read only"));
      assert.deepEqual([readOnly.outcome, readOnly.message.includes("replica")], ["unsent", true]);
      await admin.call("REPLICAOF", "NO", "ONE");
      await eventually(() => publish(engine, "a", "over a new connection", { id: "new" }));
      await admin.call("ACL", "SETUSER", "default", "-evalsha", "-eval");
      const denied = await failureOf(() => publish(engine, "a", "denied"));
      assert.deepEqual([denied.outcome, denied.message.includes("denies")], ["unsent", true]);
      await admin.call("ACL", "SETUSER", "default", "+@all");
      await admin.call("DEL", ...(await admin.keys("*")));
      const prefix = await prefixOf(engine, server);
      for (const key of ["m", "s"]) await admin.set(`${prefix}${key}:a`, "text");
      const foreign = await failureOf(() => publish(engine, "a", "foreign"));
      assert.deepEqual(foreign.outcome, "unsent");
    });

    test("M8: scripts that Redis forgot are sent again, and messages keep their order", async () => {
      const server = await start();
      const engine = await open(server);
      const received: string[] = [];
      await eventually(() => engine.listen("a", ({ data }) => void received.push(data as string), ignore));
      const results: Promise<Published>[] = [];
      for (let index = 0; index < 300; index++) {
        if (index % 50 === 0) await server.admin.call("SCRIPT", "FLUSH");
        results.push(publish(engine, "a", String(index)));
        if (index % 7 === 0) await sleep(1);
      }
      const offsets = (await Promise.all(results)).map(({ offset }) => offset);
      assert.deepEqual(
        offsets,
        offsets.map((_, index) => index + 1),
      );
      await eventually(() => assert.equal(received.length, 300));
      assert.deepEqual(
        received,
        received.map((_, index) => String(index)),
      );
    });

    test("M2: a cut command connection carries out nothing twice", async () => {
      const server = await start();
      const engine = await open(server);
      const received: string[] = [];
      await eventually(() => engine.listen("a", ({ data }) => void received.push(data as string), ignore));
      const published: Promise<string>[] = [];
      let isDone = false;
      const cutting = (async () => {
        while (!isDone) {
          await server.admin.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
          await sleep(20);
        }
      })();
      for (let index = 0; index < 2_000; index++) {
        const text = String(index);
        published.push(
          engine.publish([publication("a", text)]).then(
            () => text,
            (error: unknown) => (error as EngineUnavailableError).outcome,
          ),
        );
        if (index % 20 === 0) await sleep(2);
      }
      const results = await Promise.all(published);
      isDone = true;
      await cutting;
      // Cuts may have met the first ones, and the subscription.
      await eventually(async () => {
        await publish(engine, "a", "last");
        assert.ok(received.includes("last"));
      });
      const numbers = received.filter((text) => text !== "last").map(Number);
      assert.equal(new Set(numbers).size, numbers.length);
      assert.deepEqual(
        numbers,
        [...numbers].sort((one, other) => one - other),
      );
      // A message that is reported as unsent was not sent.
      results.forEach((result, index) => {
        if (result === "unsent") assert.ok(!received.includes(String(index)));
      });
    });

    test("M3: subscriptions that are killed every second lose nothing that has history", async () => {
      const server = await start();
      const [publisher, receiver] = [await open(server), await open(server)];
      const log = await follow(receiver, "a");
      const kills = setInterval(() => void server.admin.call("CLIENT", "KILL", "TYPE", "pubsub"), 300);
      for (let index = 1; index <= 300; index++) {
        await publish(publisher, "a", String(index));
        await sleep(10);
      }
      clearInterval(kills);
      await eventually(() => assert.equal(log.messages.length, 300));
      assert.deepEqual(
        log.messages.map(({ data, offset }) => [data, offset]),
        log.messages.map((_, index) => [String(index + 1), index + 1]),
      );
      assert.equal(log.gaps, 0);
    });

    test("M3: a promotion with three unreplicated writes begins a new epoch, and is a gap", async () => {
      const [master, replica] = [await start(), await start()];
      await replica.admin.call("REPLICAOF", "127.0.0.1", String(master.port));
      await eventually(async () =>
        assert.match(String(await replica.admin.call("INFO", "replication")), /master_link_status:up/),
      );
      const engine = await open(master, { durability: "replicated" });
      const before = await eventually(() => publish(engine, "a", "replicated", { id: "replicated" }));
      // From now on, the replica gets nothing.
      await master.admin.call("CLIENT", "KILL", "TYPE", "replica");
      await replica.admin.call("REPLICAOF", "NO", "ONE");
      const lost = await failureOf(() => publish(engine, "a", "not replicated"));
      assert.equal(lost.outcome, "unknown");
      await Promise.allSettled([publish(engine, "a", "2"), publish(engine, "a", "3")]);
      const other = await open(replica);
      const page = await other.read("a", { epoch: before.epoch ?? "", offset: 4 }, 10);
      assert.equal(page.isComplete, false);
      assert.notEqual(page.newest?.epoch, before.epoch);
      const again = await eventually(() => publish(other, "a", "again", { id: "again" }));
      assert.deepEqual([again.offset, again.epoch], [1, page.newest?.epoch]);
    });

    test("M4: durability “replicated” resolves once a replica has the message", async () => {
      const [master, replica] = [await start(), await start()];
      await replica.admin.call("REPLICAOF", "127.0.0.1", String(master.port));
      await eventually(async () =>
        assert.match(String(await master.admin.call("INFO", "replication")), /state=online/),
      );
      const engine = await open(master, { durability: "replicated" });
      const published = await Promise.all(["1", "2", "3"].map((text) => publish(engine, "a", text)));
      assert.deepEqual(
        published.map(({ offset }) => offset),
        [1, 2, 3],
      );
    });

    test("M5: a Redis that restarts empty gets the members again", async () => {
      const server = await start();
      const engine = await open(server);
      await engine.presence.join("a", { id: "1", data: "x" });
      await server.stop("SIGKILL");
      await server.start();
      await eventually(async () =>
        assert.deepEqual((await engine.presence.list("a")).members, [{ id: "1", data: "x" }]),
      );
    });
  });
}

async function prefixOf(engine: Engine, server: RedisServer): Promise<string> {
  await publish(engine, "a", "to see its key");
  const [key = ""] = await server.admin.keys("*:m:a");
  await server.admin.del(...(await server.admin.keys("*")));
  return key.slice(0, -"m:a".length);
}
