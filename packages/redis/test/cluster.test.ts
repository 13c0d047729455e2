// A cluster of Redis that moves a slot, or replaces a master, while processes publish, listen, join and leave.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "holdfast/topics";
import { inAttempts } from "holdfast-testkit";
import { publishingWith } from "../../holdfast/test-dist/topics/engine-calls.js";
import { eventually } from "../../holdfast/test-dist/topics/eventually.js";
import { follow, type Log } from "./follow.js";
import { CLUSTER, missing, NODE_TIMEOUT, type RedisServer } from "./redis-server.js";
import { useResources } from "./resources.js";

const publish = publishingWith({ messages: 10_000, age: 300_000 });

describe("A cluster of Redis", { skip: missing, concurrency: 3 }, () => {
  const { start, startCluster, openInCluster } = useResources();

  // A process that cannot prove within a second that nothing is missing reports a gap.
  for (const name of ["ioredis", "redis"] as const) {
    test(`M3: a slot that moves under load loses nothing, and is no gap, with ${name}`, () =>
      inAttempts(async () => {
        const servers = await startCluster();
        const [publisher, receiver] = [
          await openInCluster(servers[0], name),
          await openInCluster(servers[0], name),
        ];
        // A node that has just started may be one that was started again.
        await eventually(async () => {
          for (const { admin } of servers) {
            const uptime = /uptime_in_seconds:(\d+)/.exec(String(await admin.call("INFO", "server")))?.[1];
            assert.ok(Number(uptime) >= 3, uptime);
          }
        });
        const log = await follow(receiver, "a");
        await publishFirst(publisher, "1");
        const acknowledged = await publishWhile(publisher, moveSlot(servers, await keyOf(servers)));
        if (!(await isWhole(log, ["1", ...acknowledged]))) return false;
        return true;
      }, "no gap"));

    test(`M3, M5: a failover on demand loses no message and no member, and is no gap, with ${name}`, () =>
      inAttempts(async () => {
        const servers = await startCluster();
        const [publisher, receiver] = [
          await openInCluster(servers[0], name),
          await openInCluster(servers[0], name),
        ];
        const { replica } = await withReplica(servers, publisher);
        const log = await follow(receiver, "a");
        await publishFirst(publisher, "1");
        let isOver = false as boolean;
        const flapping = flap(publisher, () => isOver);
        const acknowledged = await publishWhile(publisher, failOver(replica));
        isOver = true;
        const members = await flapping;
        if (!(await isWhole(log, ["1", ...acknowledged]))) return false;
        await eventually(async () => {
          const listed = (await receiver.presence.list("a")).members;
          assert.deepEqual(listed.map(({ id, data }) => `${id} ${String(data)}`).sort(), members);
        }, 30_000);
        return true;
      }, "no gap"));
  }

  test("M5: while a slot moves, nobody gets a part of the members, and afterwards all are there", async () => {
    const servers = await startCluster();
    const [joining, listing] = [await openInCluster(servers[0]), await openInCluster(servers[0])];
    for (const id of ["1", "2"])
      await eventually(() => joining.presence.join("a", { id, data: null }), 30_000);
    const idsOf = async (): Promise<readonly string[]> =>
      (await listing.presence.list("a")).members.map(({ id }) => id).sort();
    await eventually(async () => assert.deepEqual(await idsOf(), ["1", "2"]), 30_000);
    const seen: (readonly string[])[] = [];
    await moveSlot(servers, await keyOf(servers, "*:p:a"), async () => {
      seen.push(await idsOf().catch(() => ["1", "2"])); // It may be refused.
      await joining.presence.join("a", { id: "2", data: null }).catch(() => undefined);
    });
    assert.deepEqual(
      seen,
      seen.map(() => ["1", "2"]),
    );
    await eventually(async () => assert.deepEqual(await idsOf(), ["1", "2"]), 30_000);
  });

  test("M3: a replica that takes over without its last messages is a gap, and no offset stands for two messages", async () => {
    const servers = await startCluster();
    const [publisher, receiver] = [await openInCluster(servers[0]), await openInCluster(servers[0])];
    const { master, replica } = await withReplica(servers, publisher);
    const log = await follow(receiver, "a");
    await publishFirst(publisher, "1");
    await eventually(() => assert.equal(log.messages.length, 1));
    // The replica gets nothing any more.
    await replica.admin.call("CONFIG", "SET", "masterauth", "wrong");
    await master.admin.call("ACL", "SETUSER", "default", "-psync", "-replconf");
    await master.admin.call("CLIENT", "KILL", "TYPE", "replica");
    await publish(publisher, "a", "2");
    await publish(publisher, "a", "3");
    await eventually(() => assert.equal(log.messages.length, 3));
    await master.pause();
    await replica.admin.call("CLUSTER", "FAILOVER", "TAKEOVER");
    const next = await eventually(() => publish(publisher, "a", "after", { id: "after" }), 30_000);
    assert.deepEqual([next.offset, next.epoch === log.messages[0]?.epoch], [1, false]);
    await eventually(() => assert.equal(log.gaps, 1), 30_000);
    await eventually(() => assert.equal(log.messages.at(-1)?.data, "after"), 30_000);
    master.resume();
    const last = await eventually(() => publish(publisher, "a", "last", { id: "last" }), 30_000);
    assert.deepEqual([last.offset, last.epoch], [2, next.epoch]);
    await eventually(() => assert.equal(log.messages.at(-1)?.data, "last"), 30_000);
    const places = log.messages.map(({ epoch, offset }) => `${epoch} ${offset}`);
    assert.equal(new Set(places).size, places.length);
  });

  /** The master of the topic "a" gets a replica. The first one changes its replication id, which ends the epoch. */
  async function withReplica(
    servers: readonly RedisServer[],
    engine: Engine,
  ): Promise<{ readonly master: RedisServer; readonly replica: RedisServer }> {
    await publishFirst(engine, "to find its master");
    const keys = await Promise.all(servers.map(({ admin }) => admin.keys("*:s:a")));
    const master = servers[keys.findIndex((found) => found.length > 0)];
    const replica = await addReplica(servers, master);
    return { master, replica };
  }

  async function addReplica(servers: readonly RedisServer[], master: RedisServer): Promise<RedisServer> {
    const replica = await start(...CLUSTER);
    await replica.admin.call("CLUSTER", "MEET", "127.0.0.1", master.port);
    const id = String(await master.admin.call("CLUSTER", "MYID"));
    await eventually(() => replica.admin.call("CLUSTER", "REPLICATE", id));
    await eventually(async () => {
      assert.match(String(await replica.admin.call("INFO", "replication")), /master_link_status:up/);
      const epochs = new Set<string | undefined>();
      const epochOf = async ({ admin }: RedisServer, name: string): Promise<string | undefined> =>
        new RegExp(`cluster_${name}_epoch:(\\d+)`).exec(String(await admin.call("CLUSTER", "INFO")))?.[1];
      const newest = await epochOf(replica, "current");
      for (const server of servers) {
        epochs.add(await epochOf(server, "my"));
        assert.equal(await epochOf(server, "current"), newest, "Until then, its claims may be out of date.");
        const nodes = String(await server.admin.call("CLUSTER", "NODES"));
        assert.match(nodes, new RegExp(`:${replica.port}@.* slave `));
      }
      assert.equal(epochs.size, servers.length, "Until then, they deny their votes.");
    }, 30_000);
    return replica;
  }
});

/** On a busy machine, a connection to a node that has just started may fail. */
async function publishFirst(engine: Engine, text: string): Promise<void> {
  await eventually(() => publish(engine, "a", text, { id: text }), 30_000);
}

/** Publishes numbered messages until `done` has settled, and 50 more; each again with its id until it is acknowledged. */
async function publishWhile(engine: Engine, done: Promise<unknown>): Promise<readonly string[]> {
  const acknowledged: string[] = [];
  let isDone = false;
  const settled = done.finally(() => (isDone = true));
  settled.catch(() => undefined);
  for (let extra = 0; extra < 50;) {
    const text = String(acknowledged.length + 2);
    await eventually(() => publish(engine, "a", text, { id: text }), 30_000);
    acknowledged.push(text);
    if (isDone) extra++;
    await sleep(2);
  }
  await settled;
  return acknowledged;
}

/**
 * Waits for the last message, sooner than the look at the newest position that each process takes every 28 s. Returns
 * whether nothing was reported as missing; asserts that nothing else is.
 */
async function isWhole(log: Log, texts: readonly string[]): Promise<boolean> {
  await eventually(() => assert.equal(log.messages.at(-1)?.data, texts.at(-1)), 30_000);
  if (log.gaps > 0) return false;
  assert.deepEqual(
    log.messages.map(({ data }) => data),
    texts,
  );
  return true;
}

/** Members join and leave until it is over, whatever fails; returns those that are there at the end. */
async function flap(engine: Engine, isOver: () => boolean): Promise<readonly string[]> {
  const ids = ["0", "1", "2", "3"];
  let turn = 0;
  for (; !isOver(); turn++) {
    const changes = ids.map((id, index) =>
      (turn + index) % 2 === 0
        ? engine.presence.join("a", { id, data: turn })
        : engine.presence.leave("a", id),
    );
    await Promise.all([Promise.allSettled(changes), sleep(20)]);
  }
  for (const id of ids.slice(0, 2))
    await eventually(() => engine.presence.join("a", { id, data: turn }), 30_000);
  for (const id of ids.slice(2)) await eventually(() => engine.presence.leave("a", id), 30_000);
  return ids.slice(0, 2).map((id) => `${id} ${turn}`);
}

/**
 * A failover on demand ends after 5 s if too few masters have voted, as on a busy machine. Each of them denies its next vote
 * for twice the node timeout: further attempts within that time would only spread the votes.
 */
async function failOver(replica: RedisServer): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await replica.admin.call("CLUSTER", "FAILOVER");
    try {
      await eventually(
        async () => assert.match(String(await replica.admin.call("INFO", "replication")), /role:master/),
        6_000,
      );
      return;
    } catch (error) {
      if (attempt === 3) throw error;
    }
    await sleep(2 * NODE_TIMEOUT + 1_000);
  }
}

/** The key of the topic "a": that of its history, unless the pattern says otherwise. */
async function keyOf(servers: readonly RedisServer[], pattern = "*:s:a"): Promise<string> {
  const [key = ""] = (await Promise.all(servers.map(({ admin }) => admin.keys(pattern)))).flat();
  return key;
}

/** Moves the slot of a key to another node, as `redis-cli --cluster reshard` does. @param between after each key */
async function moveSlot(
  servers: readonly RedisServer[],
  key: string,
  between?: () => Promise<void>,
): Promise<void> {
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
    const next = between === undefined ? keys : keys.sort().slice(0, 1); // The leases first.
    await source.admin.call("MIGRATE", "127.0.0.1", target.port, "", 0, 5_000, "KEYS", ...next);
    await between?.();
  }
  await target.admin.call("CLUSTER", "SETSLOT", slot, "NODE", ids[to]);
  await source.admin.call("CLUSTER", "SETSLOT", slot, "NODE", ids[to]);
}
