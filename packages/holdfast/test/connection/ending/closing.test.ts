import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { follow, Harness, ROLES } from "../harness.js";

const PENDING = { status: "pending" };
const SENDABLE = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
];

describe("Connection.close()", () => {
  test("D2: every valid code is sent, with a reason of up to 123 bytes", async () => {
    for (const code of SENDABLE) {
      const h = new Harness();
      const reason = "é".repeat(61) + "x";
      void h.connection.close(code, reason);
      h.clock.turn();
      assert.deepEqual(h.sent(), [`CLOSE ${code} ${reason}`]);
      h.deliver(h.close(code, reason));
      h.transport.eof();
      const { received, sent, cause } = await h.end();
      assert.deepEqual([received, sent, cause], [{ code, reason }, { code, reason }, "local-close"]);
    }
  });

  test("D2: any other code, and a longer reason, is refused with the connection untouched", async () => {
    const h = new Harness();
    const codes = [
      0,
      999,
      1004,
      1005,
      1006,
      1015,
      1016,
      1100,
      2000,
      2999,
      5000,
      1000.5,
      NaN,
      Infinity,
      -1000,
    ];
    const refused: readonly (readonly [unknown, unknown, string])[] = [
      ...codes.map(
        (code) =>
          [
            code,
            "",
            `\`code\` to be one that may be sent (1000–1003, 1007–1014, 3000–4999), got ${code} (number)`,
          ] as const,
      ),
      [
        "1000",
        "",
        '`code` to be one that may be sent (1000–1003, 1007–1014, 3000–4999), got "1000" (string)',
      ],
      [null, "", "`code` to be one that may be sent (1000–1003, 1007–1014, 3000–4999), got null"],
      [1000, "x".repeat(124), "`reason` to be at most 123 bytes of UTF-8, got 124"],
      [1000, "é".repeat(62), "`reason` to be at most 123 bytes of UTF-8, got 124"],
      [1000, 5, "`reason` to be a string, got 5 (number)"],
    ];
    for (const [code, reason, expected] of refused) {
      // Callers without types may pass anything.
      await assert.rejects(h.connection.close(code as number, reason as string), {
        name: "InvalidArgumentError",
        code: "ERR_HOLDFAST_INVALID_ARGUMENT",
        message: `Expected ${expected}.`,
      });
    }
    await h.clock.settle();
    assert.deepEqual([h.connection.state, h.sent(), h.runtime.timers.size], ["open", [], 0]);
    void h.connection.send("as ever");
    h.clock.turn();
    assert.deepEqual(h.sent(), ["TEXT as ever"]);
  });

  test("D4: calling it again changes nothing, and every call resolves with the same CloseInfo", async () => {
    const h = new Harness();
    const calls = [
      h.connection.close(1000, "first"),
      h.connection.close(1001, "second"),
      h.connection.close(),
    ];
    h.clock.turn();
    calls.push(h.connection.close(4000));
    h.clock.turn();
    assert.deepEqual(h.sent(), ["CLOSE 1000 first"]);
    h.deliver(h.close(1000, "first"));
    h.transport.eof();
    const info = await h.end();
    assert.deepEqual(await Promise.all(calls), [info, info, info, info]);
  });

  type Scene = readonly [
    name: string,
    setup: object,
    act: (h: Harness) => void,
    cause: string,
    message: string,
  ];
  const sent = "sent 1000 (OK); no close frame received";
  const both = "sent 1000 (OK); then received 1000 (OK)";
  const scenes: readonly Scene[] = [
    ["a mute peer", {}, () => undefined, "close-timeout", sent],
    ["a full write buffer", { capacity: 0 }, () => undefined, "close-timeout", sent],
    ["a peer that answers and keeps TCP open", {}, (h) => h.deliver(h.close(1000)), "local-close", both],
    ["a peer that sends on and on", {}, (h) => h.deliver(h.text("x"), h.ping("x")), "close-timeout", sent],
    [
      "keepalive, and no pong either",
      { pingInterval: 100, pingTimeout: 100 },
      () => undefined,
      "close-timeout",
      sent,
    ],
  ];
  for (const role of ROLES) {
    for (const [name, setup, act, cause, message] of scenes) {
      test(`D4: from a ${role}'s close() to the end of the socket it takes closeTimeout, with ${name}`, async () => {
        const h = new Harness({ role, closeTimeout: 3000, ...setup });
        void h.connection.send(Buffer.alloc(1_000_000));
        h.clock.turn();
        const reader = follow(h.connection.recv());
        const closed = follow(h.connection.close());
        h.clock.turn();
        act(h);
        h.clock.advance(2999);
        await h.clock.settle();
        assert.deepEqual(
          [h.connection.state, closed.outcome, h.transport.isDestroyed],
          ["closing", PENDING, false],
        );
        h.clock.advance(1);
        const info = await h.end();
        assert.deepEqual(
          [info.cause, info.message, closed.outcome],
          [cause, message, { status: "fulfilled", value: info }],
        );
        if (name.includes("full")) assert(info.evidence.bytesBuffered > 900_000);
        assert.notDeepEqual(reader.outcome, PENDING);
        h.assertGone();
      });
    }

    test(`D4: a peer of a ${role} that sends Close and never FIN delays nothing for longer than closeTimeout`, async () => {
      const h = new Harness({ role, closeTimeout: 3000 });
      const reader = follow(h.connection.recv());
      const ping = follow(h.connection.ping());
      h.deliver(h.close(1000));
      h.clock.advance(2999);
      await h.clock.settle();
      assert.equal(h.connection.state, "closing");
      h.clock.advance(1);
      const info = await h.end();
      const error = h.connection.signal.reason as unknown;
      const rejected = { status: "rejected", error };
      assert.deepEqual(
        [info.cause, info.ok, reader.outcome, ping.outcome],
        ["peer-close", true, rejected, rejected],
      );
      h.assertGone();
    });
  }

  test("D4: data in the kernel at the deadline still counts: a stalled process reads the answer", async () => {
    const h = new Harness({ closeTimeout: 3000 });
    void h.connection.close();
    h.clock.turn();
    h.transport.arrive(h.close(1000));
    h.clock.stall(10_000);
    const info = await h.end();
    assert.deepEqual([info.ok, info.message], [true, both]);
  });

  test("D4: `closeTimeout: null` waits as long as the peer takes", async () => {
    const h = new Harness({ closeTimeout: null });
    void h.connection.close();
    h.clock.advance(1_000_000_000);
    assert.deepEqual([h.connection.state, h.clock.pendingTimers], ["closing", 0]);
    h.deliver(h.close(1000));
    h.transport.eof();
    assert.equal((await h.end()).ok, true);
  });

  test("D5: a server ends TCP once both Closes are exchanged; a client waits for it", async () => {
    for (const begin of ["local", "peer"] as const) {
      for (const role of ROLES) {
        const h = new Harness({ role });
        if (begin === "local") void h.connection.close();
        h.clock.turn();
        assert.equal(h.transport.isEnded, false);
        h.deliver(h.close(1000));
        h.clock.turn();
        assert.deepEqual(h.sent(), ["CLOSE 1000"]);
        assert.equal(h.transport.isEnded, role === "server");
        h.transport.eof();
        h.clock.turn();
        assert.equal(h.transport.isEnded, true);
        assert.equal((await h.end()).ok, true);
        h.assertGone();
      }
    }
  });

  test("D5: a server's FIN is sent after the Close that waits for a full socket", async () => {
    const h = new Harness({ role: "server", capacity: 0 });
    void h.connection.send("first");
    h.clock.turn();
    h.deliver(h.close(1000));
    assert.equal(h.transport.isEnded, false);
    h.transport.setCapacity(Infinity);
    h.transport.drain();
    assert.deepEqual([h.transport.isEnded, h.sent()], [true, ["TEXT first", "CLOSE 1000"]]);
    h.transport.eof();
    assert.equal((await h.end()).ok, true);
  });

  test("D4: while closing, messages still arrive, their number does not pause reading any more, and no ping is sent", async () => {
    const h = new Harness({ maxQueue: 2, pingInterval: 1000, pingTimeout: null });
    h.deliver(h.text("a"), h.text("b"), h.text("c"));
    assert.equal(h.transport.isPaused, true);
    h.clock.turn();
    h.sent();
    void h.connection.close();
    h.clock.advance(5000);
    assert.equal(h.transport.isPaused, false);
    h.deliver(h.text("d"), h.close(1000));
    h.transport.eof();
    const info = await h.end();
    assert.deepEqual([h.sent(), info.ok, info.evidence.isReadingPaused], [["CLOSE 1000"], true, true]);
    for (const text of ["a", "b", "c", "d"]) assert.equal(await h.connection.recv(), text);
    await assert.rejects(h.connection.recv(), { name: "ConnectionClosedOK" });
  });

  test("D8: messages received after our Close are read before the end, within the limits of the queue", async () => {
    const h = new Harness();
    void h.connection.close();
    h.clock.turn();
    h.deliver(h.text("in flight"), h.close(1000));
    h.transport.eof();
    await h.end();
    assert.equal(await h.connection.recv(), "in flight");
  });

  test("D6: `await using` closes with 1000 at the end of the block", async () => {
    const h = new Harness();
    const disposed = h.connection[Symbol.asyncDispose]();
    h.clock.turn();
    assert.deepEqual(h.sent(), ["CLOSE 1000"]);
    h.deliver(h.close(1000));
    h.transport.eof();
    await h.end();
    await disposed;
  });
});
