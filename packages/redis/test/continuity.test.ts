// Whether an epoch goes on where another master has taken over.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Engine, Published } from "holdfast/topics";
import { inAttempts } from "holdfast-testkit";
import { eventually } from "../../holdfast/test-dist/topics/eventually.js";
import { missing, type RedisServer } from "./redis-server.js";
import { useResources } from "./resources.js";

const HISTORY = { messages: 1_000, age: 300_000 };

describe("Another master", { skip: missing, concurrency: 4 }, () => {
  const { start, open, startCluster, openInCluster } = useResources();
  /** A master and its replica, which has everything. */
  const startPair = async (): Promise<readonly [RedisServer, RedisServer]> => {
    const [master, replica] = [await start(), await start()];
    await follow(replica, master);
    return [master, replica];
  };

  // A process that cannot prove within a second that nothing is missing ends the epoch.
  test("M3: after a planned failover, the epoch goes on, back and forth, and nothing is a gap", () =>
    inAttempts(async () => {
      const [one, other] = await startPair();
      const first = await publish(await open(one), ["1", "2"]);
      await failOver(one, other);
      const second = await open(other);
      const page = await eventually(async () =>
        second.read("a", { epoch: first.epoch ?? "", offset: 1 }, 10),
      );
      if (page.newest?.epoch !== first.epoch) return false;
      assert.deepEqual(
        [page.isComplete, page.messages.map(({ data }) => data), page.newest?.epoch],
        [true, ["2"], first.epoch],
      );
      assert.deepEqual(await publish(second, ["3"]), { ...first, offset: 3 });
      await failOver(other, one);
      // The first one to touch the topic publishes, together with a new one.
      const third = await open(one);
      const [known, fresh] = await third.publish([publication("a", "4"), publication("b", "1")]);
      if (known instanceof Error || known.epoch !== first.epoch) return false;
      assert.deepEqual(known, { ...first, offset: 4 });
      assert.ok(!(fresh instanceof Error) && fresh.offset === 1);
      return true;
    }, "the same epoch"));

  test("M3: a topic that nobody touched between two failovers begins a new epoch", async () => {
    const [one, other] = await startPair();
    const first = await publish(await open(one), ["1"]);
    await failOver(one, other);
    await failOver(other, one);
    const page = await eventually(async () =>
      (await open(one)).read("a", { epoch: first.epoch ?? "", offset: 1 }, 10),
    );
    assert.equal(page.isComplete, false);
    assert.notEqual(page.newest?.epoch, first.epoch);
  });

  for (const isKilled of [false, true]) {
    const fate = isKilled ? "was killed" : "has become a replica";
    test(`M3: a promotion without the last message is a gap, if the old master ${fate}`, async () => {
      const [master, replica] = await startPair();
      const engine = await open(master);
      const before = await publish(engine, ["1"]);
      await caughtUp(master, replica);
      await replica.admin.call("REPLICAOF", "NO", "ONE");
      await publish(engine, ["2"]);
      if (isKilled) await master.stop("SIGKILL");
      else await follow(master, replica);
      const other = await open(replica);
      const page = await eventually(async () =>
        other.read("a", { epoch: before.epoch ?? "", offset: 1 }, 10),
      );
      assert.equal(page.isComplete, false);
      const again = await publish(other, ["2"]);
      assert.deepEqual([again.offset, again.epoch], [1, page.newest?.epoch]);
      assert.notEqual(again.epoch, before.epoch);
    });
  }

  test("M3: a promotion that has everything, after a crash, is a gap: nothing shows that it has", async () => {
    const [master, replica] = await startPair();
    const before = await publish(await open(master), ["1"]);
    await caughtUp(master, replica);
    await master.stop("SIGKILL");
    await replica.admin.call("REPLICAOF", "NO", "ONE");
    const page = await eventually(async () =>
      (await open(replica)).read("a", { epoch: before.epoch ?? "", offset: 1 }, 10),
    );
    assert.equal(page.isComplete, false);
  });

  test("M3: an old master that was started again proves nothing", async () => {
    const [master, replica] = await startPair();
    const before = await publish(await open(master), ["1"]);
    await caughtUp(master, replica);
    await master.stop("SIGKILL");
    await replica.admin.call("REPLICAOF", "NO", "ONE");
    await master.start();
    await follow(master, replica);
    const page = await eventually(async () =>
      (await open(replica)).read("a", { epoch: before.epoch ?? "", offset: 1 }, 10),
    );
    assert.equal(page.isComplete, false);
  });

  test("M3: a slot that another node has, while its node is gone or keeps it, is a gap", async () => {
    const servers = await startCluster();
    const engine = await openInCluster(servers[0]);
    const before = await publish(engine, ["1"]);
    const found = await Promise.all(servers.map(({ admin }) => admin.keys("*:[ms]:a")));
    const from = found.findIndex((keys) => keys.length > 0);
    const [source, target] = [servers[from], servers[(from + 1) % 3]];
    assert.ok(source !== undefined && target !== undefined);
    const keys = found[from] ?? [];
    const slot = Number(await source.admin.call("CLUSTER", "KEYSLOT", keys[0] ?? ""));
    const id = String(await target.admin.call("CLUSTER", "MYID"));
    // An old copy, as if the target had been promoted without the last message.
    await target.admin.call(
      "CLUSTER",
      "SETSLOT",
      slot,
      "IMPORTING",
      String(await source.admin.call("CLUSTER", "MYID")),
    );
    const move = ["127.0.0.1", target.port, "", 0, 5_000, "COPY", "REPLACE", "KEYS", ...keys] as const;
    await source.admin.call("MIGRATE", ...move);
    await publish(engine, ["2"]);
    await target.admin.call("CLUSTER", "SETSLOT", slot, "NODE", id);
    await target.admin.call("CLUSTER", "BUMPEPOCH");
    await source.stop("SIGKILL");
    const third = servers[(from + 2) % 3];
    await third?.admin.call("CLUSTER", "SETSLOT", slot, "NODE", id);
    for (const server of [target, third])
      await server?.admin.call("CONFIG", "SET", "cluster-require-full-coverage", "no");
    let again = before;
    // With an id, since an attempt whose answer comes too late may have been carried out.
    await eventually(async () => (again = await publish(engine, ["2 again"], "again")), 30_000);
    assert.equal(again.offset, 1);
    assert.notEqual(again.epoch, before.epoch);
  });
});

async function failOver(master: RedisServer, replica: RedisServer): Promise<void> {
  await caughtUp(master, replica);
  await master.admin.call("FAILOVER", "TO", "127.0.0.1", String(replica.port));
  await eventually(async () => {
    assert.match(String(await replica.admin.call("INFO", "replication")), /role:master[^]*state=online/);
    assert.match(
      String(await master.admin.call("INFO", "replication")),
      /role:slave[^]*master_link_status:up/,
    );
  });
}

async function follow(replica: RedisServer, master: RedisServer): Promise<void> {
  await replica.admin.call("REPLICAOF", "127.0.0.1", String(master.port));
  await eventually(async () =>
    assert.match(String(await replica.admin.call("INFO", "replication")), /master_link_status:up/),
  );
}

async function caughtUp(master: RedisServer, replica: RedisServer): Promise<void> {
  const offsetOf = async ({ admin }: RedisServer): Promise<string | undefined> =>
    /master_repl_offset:(\d+)/.exec(String(await admin.call("INFO", "replication")))?.[1];
  await eventually(async () => assert.equal(await offsetOf(replica), await offsetOf(master)));
}

function publication(
  topic: string,
  data: string,
  id: string | null = null,
): Parameters<Engine["publish"]>[0][number] {
  return { topic, data, id, history: HISTORY, compress: true };
}

/** Publishes texts on the topic "a"; returns the last result. */
async function publish(
  engine: Engine,
  texts: readonly string[],
  id: string | null = null,
): Promise<Published> {
  const result = (await engine.publish(texts.map((text) => publication("a", text, id)))).at(-1);
  if (result === undefined || result instanceof Error) throw result ?? new Error("Nothing was published");
  return result;
}
