import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Engine, Publication } from "holdfast/topics";
import { redisEngine } from "../dist/index.js";
import { openClient, type OpenedClient } from "./backends.js";
import { publishAll } from "../../holdfast/test-dist/topics/engine-calls.js";
import { eventually } from "../../holdfast/test-dist/topics/eventually.js";
import { missing, RedisServer } from "./redis-server.js";

const HISTORY = { messages: 1_000, age: 300_000 };

describe("Batches of messages", { skip: missing }, () => {
  let server: RedisServer;
  let opened: OpenedClient;
  let engine: Engine;
  before(async () => {
    server = await RedisServer.start();
    opened = await openClient("ioredis", server.port);
    engine = redisEngine({ client: opened.client });
  });
  after(async () => {
    await engine[Symbol.asyncDispose]();
    opened.close();
    await server.close();
  });

  test("M2: a page may begin and end among messages that were published at once", async () => {
    const published = await publishAll(engine, [
      ...range(10).map((index) => publication("page", String(index + 1))),
      publication("other", "between"),
      ...range(10).map((index) => publication("page", String(index + 11))),
    ]);
    await publishAll(engine, [publication("page", "21")]);
    const epoch = published[0]?.epoch ?? "";
    const read = async (offset: number, limit: number): Promise<unknown> => {
      const page = await engine.read("page", { epoch, offset }, limit);
      assert.deepEqual(page.newest, { epoch, offset: 21 });
      assert.ok(page.isComplete);
      page.messages.forEach((message) => assert.equal(message.data, String(message.offset)));
      return page.messages.map((message) => message.offset);
    };
    assert.deepEqual(await read(5, 7), [6, 7, 8, 9, 10, 11, 12]);
    assert.deepEqual(await read(0, 1), [1]);
    assert.deepEqual(await read(19, 10), [20, 21]);
    assert.deepEqual(await read(21, 10), []);
  });

  for (const history of [HISTORY, null]) {
    const kind = history === null ? "without" : "with";
    test(`M4: duplicates among the messages of a batch are left out, ${kind} history`, async () => {
      const topic = `ids ${kind}`;
      const received: unknown[] = [];
      await eventually(() => engine.listen(topic, ({ data }) => void received.push(data), ignore));
      const message = (data: string, id: string | null = null): Publication =>
        publication(topic, data, { id, history });
      await publishAll(engine, [message("1", "a")]);
      const published = await publishAll(engine, [
        message("2"),
        message("3", "b"),
        message("1 again", "a"),
        message("3 again", "b"),
        message("4"),
        message("5"),
        message("6", "c"),
      ]);
      assert.deepEqual(
        published.map(({ offset, isDuplicate }) => [offset, isDuplicate]),
        [
          [2, false],
          [3, false],
          [1, true],
          [3, true],
          [4, false],
          [5, false],
          [6, false],
        ].map(([offset, isDuplicate]) => [history === null ? null : offset, isDuplicate]),
      );
      await eventually(() => assert.deepEqual(received, ["1", "2", "3", "4", "5", "6"]));
      if (history === null) return;
      const page = await engine.read(topic, { epoch: published[0]?.epoch ?? "", offset: 0 }, 10);
      assert.deepEqual(
        page.messages.map(({ data, offset }) => [data, offset]),
        range(6).map((index) => [String(index + 1), index + 1]),
      );
    });
  }

  test("M4: an id whose message was refused is not remembered, also for its repetition in the batch", async () => {
    await publishAll(engine, [publication("refused", "1")]);
    const [found = ""] = await server.admin.keys("*:s:refused");
    await server.admin.set(found, "foreign");
    const twice = publication("refused", "2", { id: "a" });
    const results = await engine.publish([publication("page", "22"), twice, twice]);
    assert.deepEqual(
      results.map((result) =>
        result instanceof Error ? (result as { outcome?: unknown }).outcome : "published",
      ),
      ["published", "unsent", "unsent"],
    );
    await server.admin.del(found);
    const [again] = await publishAll(engine, [twice]);
    assert.deepEqual([again?.isDuplicate, again?.offset], [false, 2]);
  });

  test("M2: a history keeps what it should, and not much more", async () => {
    const history = { messages: 50, age: 300_000 };
    let epoch = "";
    for (let turn = 0; turn < 100; turn++) {
      const batch = range((turn % 20) + 1).map((index) =>
        publication("trim", `${turn} ${index}`, { history }),
      );
      for (const { epoch: of } of await publishAll(engine, batch)) epoch = of ?? "";
    }
    const page = await engine.read("trim", { epoch, offset: 0 }, 1_000);
    assert.deepEqual(
      page.messages.map(({ offset }) => offset),
      range(50).map((index) => 1_050 - 49 + index),
    );
    const [key = ""] = await server.admin.keys("*:s:trim");
    const entries = (await server.admin.xrange(key, "-", "+")) as [string, string[]][];
    const kept = entries.reduce((sum, [, [count]]) => sum + Number(count), 0);
    assert.ok(kept >= 50 && kept < 1_000, `${kept} of 1050`);
  });

  test("M2: a history that Redis has evicted is a gap, and offsets go on; without its state, an epoch begins", async () => {
    const publish = async (text: string) => (await publishAll(engine, [publication("evicted", text)]))[0];
    const read = async (epoch: string, offset: number): Promise<unknown> => {
      const { isComplete, newest, messages } = await engine.read("evicted", { epoch, offset }, 10);
      return [isComplete, newest?.epoch === epoch, newest?.offset, ...messages.map(({ data }) => data)];
    };
    const evict = async (key: string): Promise<unknown> =>
      server.admin.del(await server.admin.keys(`*:${key}:evicted`));
    const epoch = (await publish("1"))?.epoch ?? "";
    await publish("2");
    await evict("s");
    assert.deepEqual(await read(epoch, 1), [false, true, 2]);
    assert.equal((await publish("3"))?.offset, 3);
    assert.deepEqual(await read(epoch, 1), [false, true, 3, "3"]);
    assert.deepEqual(await read(epoch, 2), [true, true, 3, "3"]);
    await evict("m");
    const next = await publish("4");
    assert.equal(next?.offset, 1);
    assert.deepEqual(await read(epoch, 3), [false, false, 1, "4"]);
    assert.deepEqual(await read(next.epoch ?? "", 0), [true, true, 1, "4"]);
  });

  test("M8: a cluster of one node, behind the client of a single server", async () => {
    const node = await RedisServer.start("--cluster-enabled", "yes");
    const client = await openClient("ioredis", node.port);
    const single = redisEngine({ client: client.client });
    try {
      await node.admin.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383);
      await eventually(async () =>
        assert.match(String(await node.admin.call("CLUSTER", "INFO")), /cluster_state:ok/),
      );
      const publishing = range(3).map((turn) =>
        publishAll(
          single,
          range(40).map((index) => publication(`topic ${index}`, String(turn))),
        ),
      );
      for (const [turn, published] of (await Promise.all(publishing)).entries()) {
        published.forEach(({ offset }) => assert.equal(offset, turn + 1));
      }
    } finally {
      await single[Symbol.asyncDispose]();
      client.close();
      await node.close();
    }
  });
});

function publication(topic: string, data: string, more: Partial<Publication> = {}): Publication {
  return { topic, data, id: null, history: HISTORY, compress: true, ...more };
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function ignore(): void {
  // Nothing is to be reported.
}
