import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine, EngineUnavailableError, Position, Published, TopicMessage } from "holdfast/topics";
import { redisEngine, type RedisEngineOptions } from "../dist/index.js";
import { openClient, openClusterClient } from "./backends.js";
import {
  failureWithin,
  ignore,
  publication,
  publishingWith,
} from "../../holdfast/test-dist/topics/engine-calls.js";
import { eventually } from "../../holdfast/test-dist/topics/eventually.js";
import { missing, RedisServer, startCluster } from "./redis-server.js";

const HISTORY = { messages: 10_000, age: 300_000 };
const MAX_ANSWER = 2_000;
const publish = publishingWith(HISTORY);
const failureOf = failureWithin(MAX_ANSWER);

for (const name of ["ioredis", "redis"] as const) {
  describe(`Failures of Redis, with ${name}`, { skip: missing }, () => {
    const closing: (() => unknown)[] = [];
    after(async () => {
      for (const close of closing.reverse()) await close();
    });
    const start = async (...args: string[]): Promise<RedisServer> => {
      const server = await RedisServer.start(...args);
      closing.push(() => server.close());
      return server;
    };
    const open = async (server: RedisServer, options: Partial<RedisEngineOptions> = {}): Promise<Engine> => {
      const opened = await openClient(name, server.port);
      const engine = redisEngine({ client: opened.client, ...options });
      closing.push(
        () => opened.close(),
        () => engine[Symbol.asyncDispose](),
      );
      return engine;
    };

    test("M8: while Redis is down, each call rejects within 2 s, and nothing was sent", async () => {
      const server = await start();
      const engine = await open(server);
      await publish(engine, "a", "before");
      await server.stop();
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
      assert.equal((await eventually(() => publish(engine, "a", "after"))).offset, 1);
    });

    test("M8: a Redis that hangs is noticed within 2 s, and the outcome is unknown", async () => {
      const server = await start();
      const engine = await open(server);
      await publish(engine, "a", "before");
      await server.pause();
      try {
        assert.equal((await failureOf(() => publish(engine, "a", "hangs"))).outcome, "unknown");
      } finally {
        server.resume();
      }
      await eventually(() => publish(engine, "a", "after"));
    });

    test("M8: a replica, a full memory and a denied command are errors at once, and nothing was sent", async () => {
      const server = await start();
      const engine = await open(server);
      await publish(engine, "a", "first");
      const { admin } = server;
      await admin.call("CONFIG", "SET", "maxmemory", "1");
      assert.match((await failureOf(() => publish(engine, "a", "full"))).message, /memory/);
      assert.match((await failureOf(() => publish(engine, "new", "full"))).message, /memory/);
      await admin.call("CONFIG", "SET", "maxmemory", "0");
      await admin.call("REPLICAOF", "127.0.0.1", "1");
      const readOnly = await failureOf(() => publish(engine, "a", "read only"));
      assert.deepEqual([readOnly.outcome, readOnly.message.includes("replica")], ["unsent", true]);
      await admin.call("REPLICAOF", "NO", "ONE");
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
      await engine.listen("a", ({ data }) => void received.push(data as string), ignore);
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
      await engine.listen("a", ({ data }) => void received.push(data as string), ignore);
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
      await publish(engine, "a", "last");
      await eventually(() => assert.equal(received.at(-1), "last"));
      assert.equal(new Set(received).size, received.length);
      const sorted = received.slice(0, -1).map(Number);
      assert.deepEqual(
        sorted,
        [...sorted].sort((one, other) => one - other),
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
      const before = await publish(engine, "a", "replicated");
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
      const again = await publish(other, "a", "again");
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

describe("A cluster of Redis", { skip: missing }, () => {
  for (const name of ["ioredis", "redis"] as const) {
    test(`M3: a slot that moves under load loses nothing, and is no gap, with ${name}`, async () => {
      const servers = await startCluster();
      const opened = await openClusterClient(name, servers[0].port);
      const { client } = opened;
      const [publisher, receiver] = [redisEngine({ client }), redisEngine({ client })];
      try {
        // A node that has just started may be one that was started again.
        await eventually(async () => {
          for (const { admin } of servers) {
            const uptime = /uptime_in_seconds:(\d+)/.exec(String(await admin.call("INFO", "server")))?.[1];
            assert.ok(Number(uptime) >= 3, uptime);
          }
        });
        const log = await follow(receiver, "a");
        await publish(publisher, "a", "1");
        const [key] = (await Promise.all(servers.map(({ admin }) => admin.keys("*:s:a")))).flat();
        let isMoved = false;
        const moving = moveSlot(servers, key).then(() => (isMoved = true));
        let count = 1;
        for (let extra = 0; extra < 100;) {
          await publish(publisher, "a", String(count + 1));
          count++;
          if (isMoved) extra++;
          await sleep(2);
        }
        await moving;
        await eventually(() => assert.equal(log.messages.at(-1)?.data, String(count)), 20_000);
        const received = log.messages.map(({ data }) => Number(data));
        assert.deepEqual(
          received,
          [...new Set(received)].sort((one, other) => one - other),
        );
        assert.deepEqual([received.length, log.gaps], [count, 0]);
      } finally {
        await publisher[Symbol.asyncDispose]();
        await receiver[Symbol.asyncDispose]();
        opened.close();
        for (const server of servers) await server.close();
      }
    });
  }
});

/** Moves the slot of a key to another node, as `redis-cli --cluster reshard` does. */
async function moveSlot(servers: readonly RedisServer[], key: string): Promise<void> {
  const slot = Number(await servers[0].admin.call("CLUSTER", "KEYSLOT", key));
  const ids = await Promise.all(
    servers.map(async ({ admin }) => String(await admin.call("CLUSTER", "MYID"))),
  );
  const owners = await Promise.all(
    servers.map(({ admin }) => admin.call("CLUSTER", "COUNTKEYSINSLOT", slot)),
  );
  const from = owners.findIndex((count) => Number(count) > 0);
  const to = (from + 1) % servers.length;
  const [source, target] = [servers[from], servers[to]];
  await target.admin.call("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[from]);
  await source.admin.call("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[to]);
  await sleep(50);
  for (;;) {
    const keys = (await source.admin.call("CLUSTER", "GETKEYSINSLOT", slot, 100)) as string[];
    if (keys.length === 0) break;
    await source.admin.call("MIGRATE", "127.0.0.1", target.port, "", 0, 5_000, "KEYS", ...keys);
  }
  await target.admin.call("CLUSTER", "SETSLOT", slot, "NODE", ids[to]);
  await source.admin.call("CLUSTER", "SETSLOT", slot, "NODE", ids[to]);
}

interface Log {
  readonly messages: TopicMessage[];
  gaps: number;
}

/** Follows a topic as topics do: in the order of offsets, reading what is missing. */
async function follow(engine: Engine, topic: string): Promise<Log> {
  const log: Log = { messages: [], gaps: 0 };
  let position: Position = { epoch: "", offset: 0 };
  let isReading = false;
  let mustRead = false;
  const read = async (): Promise<void> => {
    mustRead = true;
    if (isReading) return;
    isReading = true;
    while (mustRead) {
      mustRead = false;
      try {
        const page = await engine.read(topic, position, 1_000);
        if (!page.isComplete && page.newest !== null) {
          if (position.epoch !== "") log.gaps++;
          const { epoch, offset } = page.newest;
          position = { epoch, offset: (page.messages.at(0)?.offset ?? offset + 1) - 1 };
        }
        page.messages.forEach(push);
      } catch {
        mustRead = true;
        await sleep(50);
      }
    }
    isReading = false;
  };
  const push = (received: TopicMessage): void => {
    const { epoch, offset } = received;
    if (epoch === null || offset === null) return;
    if (position.epoch === "" && offset === 1) position = { epoch, offset: 0 };
    if (epoch !== position.epoch || offset > position.offset + 1) void read();
    else if (offset === position.offset + 1) {
      position = { epoch, offset };
      log.messages.push(received);
    }
  };
  await engine.listen(topic, push, (newest) => {
    if (newest !== null && (newest.epoch !== position.epoch || newest.offset > position.offset)) void read();
  });
  return log;
}

async function prefixOf(engine: Engine, server: RedisServer): Promise<string> {
  await publish(engine, "a", "to see its key");
  const [key = ""] = await server.admin.keys("*:m:a");
  await server.admin.del(...(await server.admin.keys("*")));
  return key.slice(0, -"m:a".length);
}
