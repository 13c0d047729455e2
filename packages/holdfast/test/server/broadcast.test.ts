import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { broadcast, connect, InvalidArgumentError, serve, TextBytes } from "../../build/index.js";
import { eventually, OPCODE, RawClient } from "holdfast-testkit";
import { Compressed, long } from "../connection/compressed.js";
import { Harness, parseFrames, sharedRuntime } from "../connection/harness.js";
import { usedMemory } from "../connection/memory.js";

const servers = (count: number, setup: object = {}) => {
  const shared = sharedRuntime();
  return Array.from({ length: count }, () => new Harness({ role: "server", shared, ...setup }));
};
const connectionsOf = (harnesses: readonly Harness[]) => harnesses.map(({ connection }) => connection);
const counts = ({ sent, skipped, closed, notOpen }: ReturnType<typeof broadcast>) => ({
  sent,
  skipped,
  closed,
  notOpen,
});
const ALL_SENT = { skipped: 0, closed: 0, notOpen: 0 };

describe("broadcast", () => {
  test("G5: all receivers get the same frames, in order with their own messages", () => {
    const harnesses = servers(3);
    const messages = [
      "",
      "text é",
      Uint8Array.of(1, 2),
      "x".repeat(200),
      new Uint8Array(70_000).fill(7),
      "last",
    ];
    for (const [index, message] of messages.entries()) {
      void harnesses[1].connection.send(`own ${index}`);
      assert.deepEqual(counts(broadcast(connectionsOf(harnesses), message)), { sent: 3, ...ALL_SENT });
    }
    harnesses[0].clock.turn();
    const expected = messages.map((message) => [
      typeof message === "string" ? OPCODE.text : OPCODE.binary,
      Buffer.from(message).toString("hex"),
    ]);
    for (const [index, harness] of harnesses.entries()) {
      const frames = harness
        .sentFrames()
        .map(({ opcode, payload }) => [opcode, Buffer.from(payload).toString("hex")]);
      const own = (position: number) => [OPCODE.text, Buffer.from(`own ${position}`).toString("hex")];
      assert.deepEqual(
        frames,
        index === 1 ? expected.flatMap((frame, position) => [own(position), frame]) : expected,
      );
    }
  });

  test("G5: the messages of one turn leave in one write for each receiver", () => {
    const harnesses = servers(4);
    const first = harnesses[0];
    for (let burst = 0; burst < 3; burst++) {
      for (let index = 0; index < 10; index++) broadcast(connectionsOf(harnesses), `message ${index}`);
      first.clock.turn();
      for (const { transport } of harnesses) {
        assert.equal(transport.writes.length, burst + 1);
        const frames = parseFrames(transport.writes[burst]);
        assert.deepEqual(
          frames.map(({ payload }) => Buffer.from(payload).toString()),
          Array.from({ length: 10 }, (_, index) => `message ${index}`),
        );
      }
    }
  });

  test("G5: bytes may be changed once it has returned, also where they wait", () => {
    const [ready, blocked] = servers(2, { capacity: 100 });
    void blocked.connection.send("x".repeat(200));
    blocked.clock.turn();
    blocked.sentFrames();
    const bytes = Buffer.from("before");
    broadcast([ready.connection, blocked.connection], bytes);
    bytes.fill("!");
    broadcast([ready.connection, blocked.connection], bytes);
    ready.clock.turn();
    blocked.transport.drain();
    for (const harness of [ready, blocked]) {
      assert.deepEqual(harness.sent(), ["BINARY before", "BINARY !!!!!!"]);
    }
  });

  test("G5: `except` one, or a Set of them; closed connections are counted separately", async () => {
    const harnesses = servers(4);
    const all = connectionsOf(harnesses);
    const [first, second, third] = all;
    third.terminate();
    assert.deepEqual(counts(broadcast(all, "a", { except: first })), {
      sent: 2,
      skipped: 0,
      closed: 0,
      notOpen: 1,
    });
    assert.deepEqual(counts(broadcast(new Set(all), "b", { except: new Set([first, second]) })), {
      sent: 1,
      skipped: 0,
      closed: 0,
      notOpen: 1,
    });
    await harnesses[0].clock.settle();
    assert.deepEqual(
      harnesses.map((harness) => harness.sent()),
      [[], ["TEXT a"], [], ["TEXT a", "TEXT b"]],
    );
  });

  test("G5: client connections, which mask each frame, get it too", () => {
    const shared = sharedRuntime();
    const harnesses = (["client", "server", "client"] as const).map((role) => new Harness({ role, shared }));
    broadcast(connectionsOf(harnesses), "to all");
    broadcast(connectionsOf(harnesses), Uint8Array.of(65));
    shared.clock.turn();
    for (const harness of harnesses) assert.deepEqual(harness.sent(), ["TEXT to all", "BINARY A"]);
  });

  test("G5: TextBytes go out as text, to clients too, and are checked once (RFC 6455 section 8.1)", async () => {
    const shared = sharedRuntime();
    const harnesses = (["client", "server"] as const).map((role) => new Harness({ role, shared }));
    for (const text of ["", "é", "x".repeat(70_000)])
      broadcast(connectionsOf(harnesses), new TextBytes(Buffer.from(text)));
    await shared.clock.settle();
    for (const harness of harnesses) {
      assert.deepEqual(
        harness.sentFrames().map(({ opcode, payload }) => [opcode, payload.length]),
        [
          [OPCODE.text, 0],
          [OPCODE.text, 2],
          [OPCODE.text, 70_000],
        ],
      );
    }
    assert.throws(() => broadcast(connectionsOf(harnesses), new TextBytes([0xff])), InvalidArgumentError);
  });

  test("G5: a connection that is sending a message piece by piece gets it after that, within its limit", async () => {
    const [harness] = servers(1);
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    async function* pieces() {
      yield "one ";
      await gate;
      yield "piece";
    }
    const sending = harness.connection.send(pieces());
    await harness.clock.settle();
    const outcomes = Array.from({ length: 5 }, () =>
      counts(broadcast([harness.connection], "x".repeat(40), { slow: "skip", limit: 100 })),
    );
    assert.deepEqual(
      outcomes.map(({ sent, skipped }) => [sent, skipped]),
      [
        [1, 0],
        [1, 0],
        [1, 0],
        [0, 1],
        [0, 1],
      ],
    );
    release();
    await sending;
    await harness.clock.settle();
    const waiting = Array.from({ length: 3 }, () => `TEXT ${"x".repeat(40)}`);
    assert.deepEqual(harness.sent().slice(-3), waiting);
    broadcast([harness.connection], "again", { slow: "skip", limit: 100 });
    harness.clock.turn();
    assert.deepEqual(harness.sent(), ["TEXT again"]);
  });

  test("G5: a slow receiver is skipped, closed with 1013, or buffered for up to the limit and then closed", async () => {
    const message = "x".repeat(1_000);
    for (const [slow, limit, fates] of [
      ["skip", 5_000, { sent: 5, skipped: 15, closed: 0, notOpen: 0 }],
      ["close", 5_000, { sent: 5, skipped: 0, closed: 1, notOpen: 14 }],
      ["buffer", 10_000, { sent: 10, skipped: 0, closed: 1, notOpen: 9 }],
    ] as const) {
      const [ready, stuck] = servers(2, {}).map((harness) => harness);
      const blocked = new Harness({ role: "server", capacity: 0, shared: ready });
      stuck.connection.terminate();
      const totals = { sent: 0, skipped: 0, closed: 0, notOpen: 0 };
      for (let round = 0; round < 20; round++) {
        const result = broadcast([ready.connection, blocked.connection], message, { slow, limit });
        assert.equal(ready.connection.bufferedAmount <= 1_100, true);
        const { sent, ...others } = counts(result);
        totals.sent += sent - 1;
        for (const fate of ["skipped", "closed", "notOpen"] as const) totals[fate] += others[fate];
        const isSlow = result.skipped + result.closed > 0;
        assert.deepEqual(result.slow, isSlow ? [blocked.connection] : []);
        assert(
          blocked.connection.bufferedAmount < limit + 1_100,
          `${blocked.connection.bufferedAmount} bytes wait`,
        );
        ready.clock.turn();
      }
      assert.deepEqual(totals, fates, slow);
      assert.equal(ready.sentFrames().length, 20);
      if (slow === "skip") continue;
      blocked.transport.drain();
      const frames = blocked.sent();
      assert.equal(frames.at(-1), "CLOSE 1013 too slow");
      assert(frames.length <= 3, "What waited for it was dropped");
    }
  });

  test("G5: a large burst does not make receivers slow: bytes that the kernel accepts do not wait", () => {
    const [harness] = servers(1);
    let sent = 0;
    for (let index = 0; index < 200; index++) {
      ({ sent } = broadcast([harness.connection], "x".repeat(4_000), { slow: "close" }));
    }
    assert.equal(sent, 1);
    harness.clock.turn();
    assert.equal(harness.sentFrames().length, 200);
  });

  test("G5: it is compressed once for those with equal parameters, and every window stays right", async () => {
    const shared = sharedRuntime();
    const several = Array.from({ length: 3 }, () => new Compressed("server", { shared }));
    const other = new Compressed("server", { shared, tuning: { level: 1 } });
    const plain = new Harness({ role: "server", shared });
    const all = [...several, other].map(({ harness }) => harness.connection).concat(plain.connection);
    const text = (name: string) => long(name, 1_000);
    broadcast(all, text("first"));
    void several[0].harness.connection.send(text("own"));
    broadcast(all, text("second"));
    void several[1].harness.connection.send(text("theirs"));
    broadcast(all, text("plain"), { compress: false });
    broadcast(all, text("third"));
    void several[0].harness.connection.send(text("again"));
    shared.clock.turn();
    const wires = several.map(({ harness }) => parseFrames(harness.transport.written));
    assert.deepEqual(wires[0][0].payload, wires[1][0].payload);
    assert.deepEqual(wires[2][0].payload, wires[1][0].payload);
    assert(wires[0][0].payload.length < 900);
    const told = ["first", "second", "plain", "third"].map(
      (name) => `${name === "plain" ? "" : "deflated "}text ${name} (1000 bytes)`,
    );
    assert.deepEqual(await several[0].sent(), [
      ...told.toSpliced(1, 0, "deflated text own (1000 bytes)"),
      "deflated text again (1000 bytes)",
    ]);
    assert.deepEqual(await several[1].sent(), told.toSpliced(2, 0, "deflated text theirs (1000 bytes)"));
    assert.deepEqual(await several[2].sent(), told);
    assert.deepEqual(await other.sent(), told);
    assert.equal(plain.sentFrames().length, 4);
  });

  test("G5: a large one is compressed in a thread, and keeps its place", async () => {
    const shared = sharedRuntime();
    const several = Array.from({ length: 2 }, () => new Compressed("server", { shared }));
    const all = several.map(({ harness }) => harness.connection);
    broadcast(all, long("small", 1_000));
    broadcast(all, long("large", 100_000));
    broadcast(all, "end");
    const isDone = () => several.every(({ harness }) => parseFrames(harness.transport.written).length === 3);
    await several[0].until(isDone);
    for (const one of several) {
      assert.deepEqual(await one.sent(), [
        "deflated text small (1000 bytes)",
        "deflated text large (100000 bytes)",
        "deflated text end",
      ]);
    }
  });

  test("G5: a message that waits for a thousand stuck receivers is in memory once", async () => {
    const harnesses = servers(1_000, { capacity: 0 });
    const all = connectionsOf(harnesses);
    broadcast(all, "blocks");
    harnesses[0].clock.turn();
    const before = await usedMemory();
    for (let index = 0; index < 60; index++) broadcast(all, Buffer.alloc(16 * 1024, index));
    const grown = (await usedMemory()) - before;
    // 60 × 16 KiB are 1 MB; one copy per receiver would take 1 GB.
    assert(grown < 30_000_000, `${grown} bytes more`);
    assert(harnesses.every(({ connection }) => connection.bufferedAmount > 60 * 16 * 1024));
    assert.equal(broadcast(all, Buffer.alloc(16 * 1024 * 5)).sent, 1_000);
    assert.equal(broadcast(all, "too much").closed, 1_000);
  });

  test("G5: a small message that waits keeps none of those in memory that were sent beside it", async () => {
    const [ready] = servers(1);
    const stuck = new Harness({ role: "server", capacity: 0, shared: ready });
    broadcast([stuck.connection], "blocks");
    ready.clock.turn();
    const before = await usedMemory();
    for (let turn = 0; turn < 200; turn++) {
      for (let room = 0; room < 100; room++) broadcast([ready.connection], `${"x".repeat(500)}${room}`);
      broadcast([stuck.connection], `turn ${turn}`);
      ready.clock.turn();
      ready.transport.forgetWritten();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const grown = (await usedMemory()) - before;
    // 200 small messages take this much memory, instead of 200 × 50 KB.
    assert(grown < 3_000_000, `${grown} bytes more`);
    assert(stuck.connection.bufferedAmount > 200 * 6); // The messages are still queued.
  });

  test("G5: invalid arguments are rejected, and nothing is sent", () => {
    const [harness] = servers(1);
    const broadcastAny = broadcast as unknown as (...values: readonly unknown[]) => unknown;
    for (const [values, message] of [
      [[[harness.connection], 5], /^Expected `data` to be a string or bytes, got 5 \(number\)\.$/],
      [[[harness.connection], ["a"]], /^Expected `data` to be a string or bytes, got an array\.$/],
      [[["x"], "a"], /^Expected `connections` to hold Connections, got "x" \(string\)\.$/],
      [[5, "a"], /^Expected `connections` to be an iterable of Connections, got 5 \(number\)\.$/],
      [
        [[], "a", { slow: "drop" }],
        /^Expected `slow` to be "skip" or "close" or "buffer", got "drop" \(string\)\.$/,
      ],
      [
        [[], "a", { limit: 0 }],
        /^Expected `limit` to be a positive whole number or null, got 0 \(number\)\.$/,
      ],
      [[[], "a", { except: [] }], /^Expected `except` to be a Connection or a Set of them, got an array\.$/],
      [[[], "a", { compress: 1 }], /^Expected `compress` to be true or false/],
    ] as const) {
      assert.throws(
        () => broadcastAny(...values),
        (error) => error instanceof InvalidArgumentError && message.test(error.message),
      );
    }
    harness.clock.turn();
    assert.deepEqual(harness.sent(), []);
  });

  test("G5: on sockets, all receivers get everything, except one that stopped reading and is closed", async () => {
    await using server = await serve(() => undefined, { host: "127.0.0.1", compression: true });
    const clients = await Promise.all(
      Array.from({ length: 20 }, (_, index) => connect(server.url, { compression: index % 2 === 0 })),
    );
    await using stuck = await RawClient.connect({ port: server.port });
    await stuck.upgrade();
    stuck.stopReading();
    await eventually(() => server.connections.size === 21, "all to be open");
    const seen = clients.map((): string[] => []);
    const received = clients.map((client, index) =>
      client.forEach((message) => void seen[index].push(String(message).slice(0, 6))),
    );
    const filler = long("", 100_000);
    let closed = 0;
    for (let round = 0; round < 200; round++) {
      ({ closed } = server.broadcast(`${String(round).padStart(6, "0")}${filler}`, {
        slow: "buffer",
        limit: 2 ** 22,
      }));
      if (closed > 0) break;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.equal(closed, 1);
    server.broadcast("END");
    await eventually(() => seen.every((messages) => messages.at(-1) === "END"), "the last message", 30_000);
    await server.close({ timeout: 200 });
    await Promise.all(received);
    const rounds = seen[0].length - 1;
    const expected = Array.from({ length: rounds }, (_, round) => String(round).padStart(6, "0")).concat(
      "END",
    );
    for (const messages of seen) assert.deepEqual(messages, expected);
  });
});
