import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  describeFrame,
  follow,
  Harness,
  parseFrames,
  ROLES,
  sharedRuntime,
} from "../../connection/harness.js";

const KB = 1024;

describe("The order of writes", () => {
  for (const role of ROLES) {
    test(`E5: everything that a ${role} sends in one turn goes out in order, in one write`, () => {
      const h = new Harness({ role });
      void h.connection.send("a");
      void h.connection.send(Uint8Array.of(98));
      h.connection.pong("c");
      void h.connection.send("d".repeat(1000));
      void h.connection.close(4000, "e");
      assert.equal(h.transport.writes.length, 0);
      h.clock.turn();
      assert.equal(h.transport.writes.length, 1);
      assert.deepEqual(h.sent(), ["TEXT a", "BINARY b", "PONG c", "TEXT (1000 bytes)", "CLOSE 4000 e"]);
    });
  }

  test("E5: what a chunk's messages make us send goes out in one write, in the turn that read it", () => {
    const h = new Harness();
    void h.connection.forEach((message) => void h.connection.send(`${String(message)}!`));
    h.deliver(h.text("a"), h.ping("b"), h.text("c"), h.text("d"));
    assert.equal(h.transport.writes.length, 1);
    assert.deepEqual(h.sent(), ["TEXT a!", "PONG b", "TEXT c!", "TEXT d!"]);
  });

  test("E5: a consumer that awaits each message still answers a whole turn's in one write", async () => {
    const h = new Harness();
    const echo = async () => {
      for await (const message of h.connection) void h.connection.send(`${String(message)}!`);
    };
    const echoing = follow(echo());
    await h.clock.settle();
    h.deliver(h.text("a"), h.text("b"));
    h.deliver(h.text("c"));
    await h.clock.settle();
    assert.equal(h.transport.writes.length, 1);
    assert.deepEqual(h.sent(), ["TEXT a!", "TEXT b!", "TEXT c!"]);
    h.connection.terminate();
    await h.end();
    assert.equal(echoing.outcome.status, "rejected");
  });

  test("E5: large messages keep their place among small ones, in as few writes as they can", () => {
    for (const role of ROLES) {
      const h = new Harness({ role });
      void h.connection.send("a");
      void h.connection.send(Buffer.alloc(100 * KB));
      void h.connection.send("b");
      void h.connection.send("c".repeat(100 * KB));
      void h.connection.send("d");
      h.clock.turn();
      assert.equal(h.transport.writes.length, 3);
      assert.deepEqual(h.sent(), [
        "TEXT a",
        "BINARY (102400 bytes)",
        "TEXT b",
        "TEXT (102400 bytes)",
        "TEXT d",
      ]);
    }
  });

  test("E5: no write holds much more than writeLimit, however much is queued", () => {
    const h = new Harness({ capacity: 0, writeLimit: 10 * KB });
    for (let index = 0; index < 100; index++) void h.connection.send(Buffer.alloc(KB));
    h.clock.turn();
    h.transport.setCapacity(Infinity);
    h.transport.drain();
    assert(h.transport.writes.length >= 10);
    const frame = 2 + 2 + 4 + KB;
    for (const { length } of h.transport.writes) assert(length < 10 * KB + frame, `${length} bytes at once`);
    assert.equal(h.transport.written.length, 100 * frame);
  });

  for (const role of ROLES) {
    test(`E6: pings and pongs of a ${role} overtake queued messages, between frames`, () => {
      const h = new Harness({ role, capacity: 0, writeLimit: KB });
      for (const letter of "abcdef") void h.connection.send(letter.repeat(KB));
      void h.connection.ping("first");
      h.clock.turn();
      void h.connection.ping("second");
      h.deliver(h.ping("skipped"), h.ping("newest"));
      h.transport.setCapacity(Infinity);
      h.transport.drain();
      const sent = h
        .sentFrames()
        .map((frame) =>
          describeFrame(frame).replace("(1024 bytes)", frame.payload.subarray(0, 1).toString()),
        );
      assert.deepEqual(sent, [
        "TEXT 97", // It filled the socket before the turn ended.
        "PING first",
        "PING second",
        "PONG newest",
        ..."bcdef".split("").map((letter) => `TEXT ${letter.charCodeAt(0)}`),
      ]);
    });
  }

  test("D4: our own Close is sent after queued messages, and after all pings and pongs", () => {
    const h = new Harness({ capacity: 0, writeLimit: KB });
    for (let index = 0; index < 3; index++) void h.connection.send("x".repeat(KB));
    h.clock.turn();
    h.deliver(h.ping("newest"));
    void h.connection.ping("never sent");
    void h.connection.close(1000, "bye");
    h.transport.setCapacity(Infinity);
    h.transport.drain();
    assert.deepEqual(h.sent(), [
      "TEXT (1024 bytes)",
      "PONG newest",
      "TEXT (1024 bytes)",
      "TEXT (1024 bytes)",
      "CLOSE 1000 bye",
    ]);
  });

  test("D4: the answer to the peer's Close overtakes queued messages", () => {
    const h = new Harness({ capacity: 0, writeLimit: KB });
    for (let index = 0; index < 3; index++) void h.connection.send("x".repeat(KB));
    h.clock.turn();
    h.deliver(h.close(1001, "gone"));
    h.transport.setCapacity(Infinity);
    h.transport.drain();
    assert.deepEqual(h.sent(), ["TEXT (1024 bytes)", "CLOSE 1001 gone"]);
  });

  test("C2: a ping that is aborted while it waits for the socket is never sent", () => {
    const h = new Harness({ capacity: 0 });
    void h.connection.send("first");
    h.clock.turn();
    const aborter = new AbortController();
    void h.connection.ping("aborted", { signal: aborter.signal }).catch(() => undefined);
    void h.connection.ping("kept");
    aborter.abort();
    h.transport.drain();
    assert.deepEqual(h.sent(), ["TEXT first", "PING kept"]);
    const { sent, lost } = h.connection.latencyStats;
    assert.deepEqual({ sent, lost }, { sent: 1, lost: 0 });
  });

  test("B10: a server's answer to the upgrade goes out ahead of all that the glued bytes ask for", () => {
    const glued = new Harness({ role: "server" }).ping("x");
    const h = new Harness({ role: "server", preface: Buffer.from("HEAD"), glued });
    void h.connection.send("hello");
    h.clock.turn();
    assert.equal(Buffer.from(h.transport.written).toString("latin1"), "HEAD\x8a\x01x\x81\x05hello");
  });

  type Step = readonly [
    which: number,
    what: "drain" | "large" | "limit" | "ping" | "small" | "turn",
    size: number,
  ];
  const step: fc.Arbitrary<Step> = fc.tuple(
    fc.nat(2),
    fc.constantFrom("small", "small", "large", "ping", "turn", "drain", "limit"),
    fc.nat(3000),
  );

  test("E5: frames of connections that share their memory never mix, whatever blocks and drains when", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(...ROLES), (steps, role) => {
        const shared = sharedRuntime();
        const ends = [0, 1, 2].map(() => ({
          h: new Harness({ role, shared, writeLimit: 4 * KB }),
          expected: [] as string[],
        }));
        let count = 0;
        for (const [which, what, size] of steps) {
          const { h, expected } = ends[which] ?? assert.fail();
          const text = `${which}-${count++}-`.padEnd(what === "large" ? 66_000 + size : size, "x");
          if (what === "small" || what === "large") {
            expected.push(text);
            if (count % 2 === 0) void h.connection.send(text);
            else void h.connection.send(Buffer.from(text));
          } else if (what === "ping") h.deliver(h.ping("ping"));
          else if (what === "turn") shared.clock.turn();
          else if (what === "drain") h.transport.drain(size * 3);
          else h.transport.setCapacity(size);
        }
        shared.clock.turn();
        for (const { h, expected } of ends) {
          h.transport.setCapacity(Infinity);
          h.transport.drain();
          const texts = parseFrames(h.transport.taken)
            .filter(({ opcode }) => opcode < 8)
            .map(({ payload }) => Buffer.from(payload).toString());
          assert.deepEqual(texts, expected);
          assert.equal(h.connection.bufferedAmount, 0);
        }
      }),
      { numRuns: 150 },
    );
  });
});
