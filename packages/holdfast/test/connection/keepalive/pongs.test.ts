import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { frame, OPCODE } from "holdfast-testkit";
import { describeFrame, follow, Harness, parseFrames, ROLES } from "../harness.js";
import { usedMemory } from "../memory.js";

describe("Pongs", () => {
  for (const role of ROLES) {
    test(`C13: a ${role} answers a Ping in the turn that read it, before it emits any event`, () => {
      const h = new Harness({ role });
      const seen: object[] = [];
      h.connection.on("ping", ({ payload }) => {
        seen.push({ payload: Buffer.from(payload).toString(), sent: h.sent() });
      });
      h.deliver(h.ping("a"));
      h.deliver(h.ping("b"), h.text("message"), h.ping(""));
      assert.deepEqual(seen, [
        { payload: "a", sent: ["PONG a"] },
        { payload: "b", sent: ["PONG b"] },
        { payload: "", sent: ["PONG"] },
      ]);
    });
  }

  test("C13: without a listener, all pongs of a chunk go out in one write, in the turn that read it", () => {
    const h = new Harness();
    h.deliver(h.ping("a"), h.ping("b"), h.ping("c"));
    assert.equal(h.transport.writes.length, 1);
    assert.deepEqual(h.sent(), ["PONG a", "PONG b", "PONG c"]);
  });

  test("C13: while closing, pings are reported and not answered, whichever side began", async () => {
    for (const begin of [
      (h: Harness) => void h.connection.close(),
      (h: Harness) => h.deliver(h.close(1000)),
      (h: Harness) => h.deliver(h.frame({ opcode: 5 })),
    ]) {
      const h = new Harness();
      begin(h);
      h.clock.turn();
      h.sent();
      h.deliver(h.ping("late"));
      h.connection.pong("later");
      h.clock.turn();
      assert.deepEqual(h.sent(), []);
      h.connection.terminate();
      await h.end();
    }
    const h = new Harness();
    const told: string[] = [];
    h.connection.on("ping", ({ payload }) => told.push(Buffer.from(payload).toString()));
    void h.connection.close();
    h.deliver(h.ping("late"));
    assert.deepEqual(told, ["late"]);
  });

  test("C13: with `autoPong: false` the application answers, with any payload", () => {
    const h = new Harness({ autoPong: false });
    h.deliver(h.ping("quiet"));
    h.clock.turn();
    assert.deepEqual(h.sent(), []);
    const remove = h.connection.on("ping", ({ payload }) => h.connection.pong(payload));
    h.deliver(h.ping("a"));
    remove();
    h.deliver(h.ping("b"));
    assert.deepEqual(h.sent(), ["PONG a"]);
  });

  test("C13: an unsolicited pong is sent with its original bytes, and one over 125 bytes is rejected", () => {
    const h = new Harness({ role: "server" });
    const memory = Buffer.from("before");
    h.connection.pong(memory);
    memory.fill("!");
    h.connection.pong();
    assert.throws(() => h.connection.pong("x".repeat(126)), {
      name: "InvalidArgumentError",
      message: "Expected `payload` to be at most 125 bytes (RFC 6455 section 5.5), got 126.",
    });
    h.clock.turn();
    assert.deepEqual(h.sent(), ["PONG before", "PONG"]);
  });

  for (const role of ROLES) {
    test(`C12: a million pings to a blocked ${role} leave one Pong, the newest, and no memory`, async () => {
      const h = new Harness({ role, capacity: 0, pingInterval: null });
      void h.connection.send("in the way");
      h.clock.turn();
      assert.equal(h.transport.isBlocked, true);
      const unsent = h.connection.bufferedAmount;
      const chunk = Buffer.concat(
        Array.from({ length: 10_000 }, (_, index) => h.ping(String(index).padStart(8, "0"))),
      );
      h.deliver(chunk);
      const before = await usedMemory();
      for (let round = 1; round < 100; round++) h.deliver(chunk);
      h.deliver(h.ping("newest"));
      const growth = (await usedMemory()) - before;
      assert(growth < 1_000_000, `the flood left ${growth} bytes`);
      assert.equal(h.connection.bufferedAmount, unsent);
      h.transport.drain();
      assert.deepEqual(h.sent(), ["TEXT in the way", "PONG newest"]);
    });
  }

  test("C12: the flood does not delay the flooder's own verdict", async () => {
    const h = new Harness({ role: "server", capacity: 0, pingInterval: 20_000, pingTimeout: 20_000 });
    for (let second = 0; second < 40 && h.ends.length === 0; second++) {
      h.deliver(h.ping(`flood ${second}`));
      await h.clock.advanceAsync(1000);
    }
    const info = await h.end();
    assert.deepEqual(
      [info.cause, info.evidence.endedAt - (info.evidence.openedAt ?? 0)],
      ["heartbeat-timeout", 20_000],
    );
    h.assertGone();
  });

  test("C12: all pongs that the kernel accepts are sent in order: RFC 6455 section 5.5.3 lets us skip them, not reorder them", () => {
    const h = new Harness({ capacity: 14 });
    h.deliver(h.ping("12345678"), h.ping("abcdefgh"), h.ping("last"));
    h.deliver(h.ping("skipped"), h.ping("newest"));
    h.transport.drain();
    assert.deepEqual(parseFrames(h.transport.taken).map(describeFrame), [
      "PONG 12345678",
      "PONG abcdefgh",
      "PONG last",
      "PONG newest",
    ]);
  });

  test("C21: a peer that answers with an empty payload stays open, and is logged once", () => {
    const warnings: string[] = [];
    const silent = (): void => undefined;
    const logger = {
      debug: silent,
      info: silent,
      error: silent,
      warn: (text: string) => warnings.push(text),
    };
    const h = new Harness({ pingInterval: 1000, pingTimeout: 1000, logger });
    for (let second = 0; second < 60; second++) {
      h.clock.turn();
      h.deliver(h.pong(""));
      h.clock.advance(1000);
    }
    assert.deepEqual([h.connection.state, h.connection.latency, warnings.length], ["open", null, 1]);
    assert.match(warnings[0], /^a Pong matched no Ping/);
  });

  test("C3: a pong of the peer that answers nothing changes nothing", async () => {
    const h = new Harness();
    const ping = follow(h.connection.ping("x"));
    h.clock.turn();
    h.deliver(h.pong("y"), frame({ opcode: OPCODE.pong }));
    await h.clock.settle();
    assert.equal(ping.outcome.status, "pending");
    assert.equal(h.connection.state, "open");
    assert.equal(h.connection.latency, null);
  });
});
