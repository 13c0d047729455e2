// Topics of one process on a fake clock: what exactly goes to each connection.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EngineUnavailableError } from "../../build/shared/engine-unavailable-error.js";
import { InvalidArgumentError, InvalidStateError } from "../../build/shared/errors.js";
import type { Engine, NewestListener } from "../../build/topics/engine/engine.js";
import { MemoryEngine } from "../../build/topics/memory/memory-engine.js";
import { openTopics } from "../../build/topics/topics.js";
import { Compressed } from "../connection/compressed.js";
import { sharedRuntime } from "../connection/harness.js";
import { MARK, Process, sent } from "./fake-process.js";

describe("Topics", () => {
  test("M1, G5: plain peers get the message, links get it with its place, each kind the same frame", async () => {
    const process = new Process({ history: true });
    const peers = [
      process.peer(),
      process.peer(),
      process.peer({ link: true }),
      process.peer({ link: true }),
    ];
    for (const { connection } of peers) await process.topics.subscribe(connection, "a b");
    for (const peer of peers) sent(peer);
    assert.deepEqual(await process.publish("a b", "text", Uint8Array.of(1, 2), `${MARK}x`), [1, 2, 3]);
    assert.deepEqual(sent(peers[0]), ["text", "[1,2]", "^x"]);
    assert.deepEqual(sent(peers[1]), ["text", "[1,2]", "^x"]);
    const ofLinks = ["^m a%20b 1\ntext", "^b a%20b 2", "[1,2]", `^m a%20b 3\n${MARK}x`];
    assert.deepEqual(sent(peers[2]), ofLinks);
    assert.deepEqual(sent(peers[3]), ofLinks);
  });

  test("M1: without history a message has no offset; history can be chosen for each message", async () => {
    const process = new Process();
    const link = process.peer({ link: true });
    await process.topics.subscribe(link.connection, "t");
    sent(link);
    assert.deepEqual(await process.publish("t", "one"), [null]);
    const kept = process.topics.publish("t", "two", { history: { messages: 1 } });
    await process.settle();
    assert.equal((await kept).offset, 1);
    assert.deepEqual(sent(link), ["^m t -\none", "^at t E 0", "^m t 1\ntwo"]);
  });

  test("M1: the bytes may be changed after publish(), and the messages of a turn are one batch", async () => {
    const process = new Process();
    const batches: number[] = [];
    const { engine } = process;
    const publish = engine.publish.bind(engine);
    engine.publish = (batch) => {
      batches.push(batch.length);
      return publish(batch);
    };
    const peer = process.peer();
    await process.topics.subscribe(peer.connection, "t");
    const bytes = Uint8Array.of(1);
    const publishing = [process.topics.publish("t", bytes), process.topics.publish("other", "x")];
    bytes.fill(9);
    await process.settle();
    await Promise.all(publishing);
    assert.deepEqual([sent(peer), batches], [["[1]"], [2]]);
  });

  test("M1: an abort before the end of the turn withdraws the message; later it only stops waiting", async () => {
    const process = new Process();
    const peer = process.peer();
    await process.topics.subscribe(peer.connection, "t");
    const aborter = new AbortController();
    const publishing = process.topics.publish("t", "never", { signal: aborter.signal });
    publishing.catch(() => undefined);
    await Promise.resolve();
    aborter.abort(new Error("changed my mind"));
    await process.settle();
    await assert.rejects(publishing, /changed my mind/);
    assert.deepEqual(sent(peer), []);
  });

  test("M1: after unsubscribe(), and after its end, a connection gets nothing, and the engine need not report", async () => {
    const process = new Process();
    const [leaves, ends] = [process.peer({ link: true }), process.peer()];
    await process.topics.subscribe(leaves.connection, "t");
    await process.topics.subscribe(ends.connection, "t");
    await process.topics.unsubscribe(leaves.connection, "t");
    await process.topics.unsubscribe(leaves.connection, "t");
    let ignored = 0;
    const ignore = process.engine.ignore.bind(process.engine);
    process.engine.ignore = (...args) => {
      ignored++;
      ignore(...args);
    };
    assert.deepEqual(sent(leaves), ["^topics", "^ended t"]);
    ends.connection.terminate();
    await process.settle();
    assert.equal(ignored, 1);
    await process.publish("t", "x");
    assert.deepEqual([sent(leaves), sent(ends)], [[], []]);
  });

  test("M2: since continues from a position; recovered says whether nothing is missing; limits hold", async () => {
    const process = new Process({ history: true, maxRecovery: 5 });
    await process.publish("t", ...Array.from({ length: 10 }, (_, index) => `${index}`));
    const [first] = (await process.engine.read("t", { epoch: "", offset: 0 }, 1)).messages;
    const epoch = first?.epoch ?? "";
    const subscribe = async (since: { epoch: string; offset: number }): Promise<unknown> => {
      const peer = process.peer();
      const { recovered, position } = await process.topics.subscribe(peer.connection, "t", { since });
      await process.settle();
      return [recovered, position?.offset ?? null, ...sent(peer)];
    };
    assert.deepEqual(await subscribe({ epoch, offset: 7 }), [true, 7, "7", "8", "9"]);
    assert.deepEqual(await subscribe({ epoch, offset: 10 }), [true, 10]);
    assert.deepEqual(process.gaps, []);
    assert.deepEqual(await subscribe({ epoch, offset: 4 }), [false, 5, "5", "6", "7", "8", "9"]);
    assert.deepEqual(await subscribe({ epoch: "old", offset: 4 }), [false, 5, "5", "6", "7", "8", "9"]);
    assert.deepEqual(process.gaps, ["t 4 5", "t 4 5"]);
    const now = process.peer();
    const joined = await process.topics.subscribe(now.connection, "t", { since: "now" });
    assert.deepEqual(joined, { recovered: false, position: { epoch, offset: 10 } });
    await process.publish("t", "next");
    assert.deepEqual(sent(now), ["next"]);
  });

  test("M2: who was subscribed before the first message, and returns after it, misses nothing", async () => {
    const process = new Process({ history: true });
    const before = process.peer();
    const { position } = await process.topics.subscribe(before.connection, "t");
    before.connection.terminate();
    await process.settle();
    await process.publish("t", "first");
    const after = process.peer();
    const { recovered } = await process.topics.subscribe(after.connection, "t", { since: position ?? "now" });
    await process.settle();
    assert.deepEqual([recovered, sent(after), process.gaps], [true, ["first"], []]);
  });

  test("M6: a slow receiver is skipped, and a link is notified of the gap, even if no message follows", async () => {
    const process = new Process({ history: true });
    const link = process.peer({ link: true, capacity: 0 });
    const plain = process.peer({ capacity: 0 });
    const options = { slow: "skip", limit: 1_000 } as const;
    await process.topics.subscribe(link.connection, "t", options);
    await process.topics.subscribe(plain.connection, "t", options);
    const message = (name: string): string => name + ".".repeat(600);
    await process.publish("t", message("1"), message("2"), message("3"), message("4"));
    for (const { transport } of [link, plain]) {
      transport.setCapacity(Infinity);
      transport.drain();
    }
    await process.settle();
    const names = (texts: readonly string[]) => texts.map((text) => text.replace(/\.+/, ""));
    assert.deepEqual(names(sent(link)), ["^topics", "^m t 1\n1", "^m t 2\n2", "^gap t E 3", "^gap t E 4"]);
    await process.publish("t", "5");
    assert.deepEqual(names(sent(link)), ["^m t 5\n5"]);
    assert.deepEqual(names(sent(plain)), ["1", "2", "5"]);
    // Together, the gaps of each receiver cover all that it missed.
    assert.deepEqual(process.gaps, ["t 2 3", "t 2 3", "t 3 4", "t 3 4"]);
  });

  test("M6, M3: a slow receiver that is skipped is reported, too, when the engine has lost messages", async () => {
    const process = new Process({ history: true });
    let report: NewestListener = () => undefined;
    const listen = process.engine.listen.bind(process.engine);
    process.engine.listen = (topic, onMessage, onNewest, begins) => {
      if (onNewest !== undefined) report = onNewest;
      return listen(topic, onMessage, onNewest, begins);
    };
    const { connection } = process.peer({ capacity: 0 });
    await process.topics.subscribe(connection, "t", { slow: "skip", limit: 1 });
    await process.publish("t", "1", "2");
    report(null);
    assert.deepEqual(process.gaps, ["t 1 2", "t 2 2"]);
  });

  test("M6: a slow receiver is closed with 1013, at once or beyond the limit of the buffer", async () => {
    const process = new Process();
    for (const [slow, size] of [
      ["close", 70_000],
      ["buffer", 1_100_000],
    ] as const) {
      const peer = process.peer({ capacity: 0 });
      await process.topics.subscribe(peer.connection, slow, { slow });
      await process.publish(slow, "x".repeat(size));
      assert.equal(peer.connection.state, "open", slow);
      await process.publish(slow, "y");
      assert.equal(peer.connection.state, "closing", slow);
      peer.transport.setCapacity(Infinity);
      peer.transport.drain();
      assert.equal(sent(peer).at(-1), "close 1013");
    }
  });

  test("M6: with catch-up, a slow receiver buffers no more than the limit and one message, and misses nothing", async () => {
    const process = new Process({ history: true });
    for (const link of [false, true]) {
      const topic = link ? "link" : "plain";
      const peer = process.peer({ link, capacity: 0, writeLimit: 1_000 });
      await process.topics.subscribe(peer.connection, topic, { slow: "catch-up", limit: 2_000 });
      const messages = Array.from({ length: 300 }, (_, index) => `${index} ${".".repeat(500)}`);
      await process.publish(topic, ...messages);
      assert.ok(peer.connection.bufferedAmount < 4_000, `${peer.connection.bufferedAmount} bytes`);
      const received: string[] = [];
      for (let round = 0; round < 2_000 && received.length < 310; round++) {
        peer.transport.setCapacity(700);
        peer.transport.drain();
        await process.settle();
        assert.ok(peer.connection.bufferedAmount < 4_000, `${peer.connection.bufferedAmount} bytes`);
        received.push(...sent(peer).filter((text) => !/^\^(at|topics)/.test(text)));
        if (round % 50 === 49 && messages.length < 310) {
          messages.push(`${messages.length} live`);
          await process.publish(topic, messages.at(-1) ?? "");
        }
      }
      assert.deepEqual(
        received,
        messages.map((text, index) => (link ? `^m link ${index + 1}\n${text}` : text)),
      );
    }
    assert.deepEqual(process.gaps, []);
  });

  test("M6, M2: with catch-up, a receiver that falls behind the history gets a gap, and what is left", async () => {
    const process = new Process({ history: { messages: 10 } });
    const link = process.peer({ link: true, capacity: 0 });
    await process.topics.subscribe(link.connection, "t", { slow: "catch-up", limit: 1_000 });
    await process.publish("t", ...Array.from({ length: 50 }, (_, index) => `${index}${".".repeat(400)}`));
    const received: string[] = [];
    for (let round = 0; round < 100; round++) {
      link.transport.setCapacity(Infinity);
      link.transport.drain();
      await process.settle();
      received.push(...sent(link).map((text) => text.replace(/\.+/, "")));
    }
    assert.deepEqual(received, [
      "^topics",
      ...[1, 2, 3, 4].map((offset) => `^m t ${offset}\n${offset - 1}`),
      "^gap t E 40",
      ...Array.from({ length: 10 }, (_, index) => `^m t ${index + 41}\n${index + 40}`),
    ]);
    assert.deepEqual(process.gaps, ["t 4 40"]);
  });

  test("M1: a connection that unsubscribes, or begins anew, while the history is read gets nothing of the page", async () => {
    const process = new Process({ history: true });
    await process.publish("t", "one", "two");
    const [first] = (await process.engine.read("t", { epoch: "", offset: 0 }, 1)).messages;
    const since = { epoch: first?.epoch ?? "", offset: 0 };
    const read = process.engine.read.bind(process.engine);
    const waiting: (() => void)[] = [];
    process.engine.read = async (topic, after, limit) => {
      const page = await read(topic, after, limit);
      if (limit > 1) await new Promise<void>((resolve) => waiting.push(resolve));
      return page;
    };
    const [leaves, returns] = [process.peer(), process.peer()];
    await process.topics.subscribe(leaves.connection, "t", { since });
    await process.topics.subscribe(returns.connection, "t", { since });
    await process.topics.unsubscribe(leaves.connection, "t");
    await process.topics.subscribe(returns.connection, "t", { since: { ...since, offset: 1 } });
    for (let round = 0; round < 3; round++) {
      for (const resume of waiting.splice(0)) resume();
      await process.settle();
    }
    assert.deepEqual([sent(leaves), sent(returns)], [[], ["two"]]);
  });

  test("M1: messages are compressed where the connection does, unless they must not be", async () => {
    const process = new Process();
    const plain = process.peer();
    await process.topics.subscribe(plain.connection, "t");
    const compressed = new Compressed("server", { shared: process.shared }).harness;
    await process.topics.subscribe(compressed.connection, "t");
    const long = "compressible ".repeat(100);
    void process.topics.publish("t", long);
    void process.topics.publish("t", long, { compress: false });
    await process.settle();
    const sizes = compressed.sentFrames().map(({ payload }) => payload.length);
    assert.ok((sizes[0] ?? 0) < long.length / 2 && sizes[1] === long.length, String(sizes));
  });

  test("M8: an engine that is down rejects publish() and subscribe() with the outcome, and connections stay open", async () => {
    const process = new Process();
    const peer = process.peer();
    await process.topics.subscribe(peer.connection, "up");
    await process.engine[Symbol.asyncDispose]();
    const publishing = process.topics.publish("up", "x");
    const refused = assert.rejects(publishing, (error: unknown) => {
      return error instanceof EngineUnavailableError && error.outcome === "unsent";
    });
    await process.settle();
    await refused;
    await assert.rejects(process.topics.subscribe(peer.connection, "down"), EngineUnavailableError);
    await assert.rejects(process.topics.presence("down"), EngineUnavailableError);
    assert.equal(peer.connection.state, "open");
  });

  test("M8: an engine that fails in part rejects only the messages that it failed", async () => {
    const shared = sharedRuntime();
    const engine: Engine = new MemoryEngine(shared.runtime);
    engine.publish = (batch) =>
      Promise.resolve(
        batch.map(({ data }) =>
          data === "bad"
            ? new EngineUnavailableError("A partition is down.", "unknown")
            : { offset: null, epoch: null, isDuplicate: false },
        ),
      );
    const topics = openTopics(shared.runtime, { engine });
    const results = Promise.allSettled(["good", "bad", "good"].map((data) => topics.publish("t", data)));
    await shared.clock.settle();
    shared.clock.turn();
    assert.deepEqual(
      (await results).map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
  });

  test("M7: open() answers by words, checks each request, and forbids what the application does not allow", async () => {
    const process = new Process({ history: true });
    const link = process.peer({ link: true });
    process.topics.open(link.connection, {
      authorize: (_, topic) => {
        if (topic === "throws") throw new Error("no");
        return topic !== "secret";
      },
      maxSubscriptions: 2,
    });
    await process.publish("t", "one", "two");
    const [first] = (await process.engine.read("t", { epoch: "", offset: 0 }, 1)).messages;
    const words = [
      "sub 1 t",
      "sub 2 secret",
      "sub 3 throws",
      "sub 4 %",
      "sub 5 t E",
      "sub x t",
      "pub 6 t\nno",
      "sub 7 u%20v",
      "sub 8 w",
      "unsub 9 u%20v",
      "sub 10 w",
      `sub 11 t ${first?.epoch} 1`,
      "unsub 12 nothing",
    ];
    for (const word of words) link.deliver(link.text(MARK + word));
    await process.settle();
    const epoch = first?.epoch ?? "";
    assert.deepEqual(
      sent(link).map((text) => text.replace(epoch, "E").replace(/(?<=^\^done \d+ 0 )\S+(?= 0$)/, "E")),
      [
        "^topics",
        "^done 1 0 E 2",
        "^failed 2 forbidden not allowed",
        "^failed 3 forbidden not allowed",
        "^failed 4 invalid not a topic, or not a position",
        "^failed 5 invalid not a topic, or not a position",
        "^failed 6 forbidden not allowed",
        "^done 7 0 E 0",
        "^failed 8 limit at most 2 topics at a time",
        "^done 9",
        "^done 10 0 E 0",
        "^done 11 1 E 1",
        "^m t 2\ntwo",
        "^done 12",
      ],
    );
  });

  test("M7: a flood of requests that wait is refused beyond 1,000", async () => {
    const process = new Process();
    const link = process.peer({ link: true });
    let decide: (isAllowed: boolean) => void = () => undefined;
    process.topics.open(link.connection, { authorize: () => new Promise((resolve) => (decide = resolve)) });
    for (let id = 0; id < 1_010; id++) link.deliver(link.text(`${MARK}sub ${id} t${id}`));
    await process.settle();
    const refused = sent(link).filter((text) => text.includes(" limit "));
    assert.equal(refused.length, 10);
    decide(true);
  });

  test("M5: a connection is a member by each of the topics that share an engine, and leaves them one by one", async () => {
    const process = new Process();
    const { connection } = process.peer();
    const { engine, topics } = process;
    const others = openTopics(process.shared.runtime, { engine });
    await topics.subscribe(connection, "t", { presence: 1 });
    await others.subscribe(connection, "t", { presence: 2 });
    const { id } = connection;
    const [first, second] = [
      { id, data: 1 },
      { id: `${id}#2`, data: 2 },
    ];
    assert.deepEqual(await topics.presence("t"), [first, second]);
    await others.unsubscribe(connection, "t");
    assert.deepEqual(await topics.presence("t"), [first]);
    await others.subscribe(connection, "t", { presence: 2 });
    await topics.close();
    assert.deepEqual(await others.presence("t"), [second]);
    const next = openTopics(process.shared.runtime, { engine });
    await next.subscribe(connection, "t", { presence: 3 });
    assert.deepEqual((await next.presence("t"))[1], { id, data: 3 });
  });

  test("M1: arguments are checked, and the message says what was expected", async () => {
    const process = new Process();
    const { connection } = process.peer();
    const { topics } = process;
    const wrong = (value: unknown): never => value as never; // Plain JavaScript may pass anything.
    const calls: (() => Promise<unknown>)[] = [
      () => topics.publish("", "x"),
      () => topics.publish("é".repeat(129), "x"),
      () => topics.publish("\ud800", "x"),
      () => topics.publish(wrong(1), "x"),
      () => topics.publish("t", wrong({})),
      () => topics.publish("t", "x", { id: "" }),
      () => topics.publish("t", "x", { id: "a\ud800" }),
      () => topics.publish("t", "x", wrong({ historie: true })),
      () => topics.publish("t", "x", { history: wrong("yes") }),
      () => topics.publish("t", "x", { history: { messages: 0 } }),
      () => topics.subscribe(wrong({}), "t"),
      () => topics.subscribe(connection, "t", { since: wrong("then") }),
      () => topics.subscribe(connection, "t", { since: { epoch: "a b", offset: 1 } }),
      () => topics.subscribe(connection, "t", { slow: wrong("fast") }),
      () => topics.subscribe(connection, "t", { presence: () => 1 }),
      () => topics.subscribe(connection, "t", { presence: 1n }),
      () => topics.watch("t", wrong(1)),
      async () => topics.open(connection, wrong({})),
      async () => openTopics(process.shared.runtime, wrong({ engin: 1 })),
      async () => openTopics(process.shared.runtime, { engine: wrong({}) }),
    ];
    for (const [index, call] of calls.entries())
      await assert.rejects(call, InvalidArgumentError, `call ${index}`);
    assert.deepEqual(await process.publish("x".repeat(256), "fits"), [null]);
    connection.terminate();
    await process.settle();
    await assert.rejects(topics.subscribe(connection, "t"), InvalidStateError);
    await topics.close();
    await topics.close();
    await assert.rejects(topics.publish("t", "x"), InvalidStateError);
  });

  test("M5: close() waits until members whose connections have ended are removed, so that the engine may be closed next", async () => {
    const process = new Process();
    const { engine } = process;
    let release = (): void => undefined;
    const left = new Promise<void>((resolve) => (release = resolve));
    const leave = engine.presence.leave.bind(engine.presence);
    engine.presence.leave = (topic, id) => left.then(() => leave(topic, id));
    const peer = process.peer();
    await process.topics.subscribe(peer.connection, "a", { presence: "Ann" });
    peer.connection.terminate();
    await process.settle();
    let isClosed = false;
    const closed = process.topics.close().then(() => (isClosed = true));
    await process.settle();
    assert.equal(isClosed, false);
    release();
    await closed;
    assert.deepEqual((await engine.presence.list("a")).members, []);
  });
});
