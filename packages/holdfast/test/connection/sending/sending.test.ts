import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { describeFrame, follow, Harness, parseFrames, ROLES } from "../harness.js";

const KB = 1024;
const PENDING = { status: "pending" };
const SENT = { status: "fulfilled", value: undefined };

/** A connection whose socket accepts no more data. */
function blocked(options: ConstructorParameters<typeof Harness>[0] = {}) {
  const h = new Harness({ capacity: 0, ...options });
  void h.connection.send("first");
  h.clock.turn();
  return h;
}

/** The peer reads everything, and continues to read. */
async function unblock(h: Harness) {
  h.transport.setCapacity(Infinity);
  h.transport.drain();
  await h.clock.settle();
}

describe("Connection.send()", () => {
  test("E5: strings are text, bytes are binary, of exactly the view's bytes", () => {
    const memory = Uint8Array.from({ length: 8 }, (_, index) => index);
    const data = [
      "text é",
      "",
      memory.subarray(2, 4),
      new DataView(memory.buffer, 4, 2),
      new Uint16Array(memory.buffer, 0, 1),
      memory.buffer.slice(6),
      Buffer.from("buffer"),
    ];
    for (const role of ROLES) {
      const h = new Harness({ role });
      for (const message of data) void h.connection.send(message);
      h.clock.turn();
      const sent = h
        .sentFrames()
        .map(({ opcode, payload }) => [opcode, Buffer.from(payload).toString("hex")]);
      const hex = (text: string) => Buffer.from(text).toString("hex");
      assert.deepEqual(sent, [
        [1, hex("text é")],
        [1, ""],
        [2, "0203"],
        [2, "0405"],
        [2, "0001"],
        [2, "0607"],
        [2, hex("buffer")],
      ]);
    }
  });

  test("E5: anything else is rejected, and the connection is not affected", async () => {
    const h = new Harness();
    const refused: readonly (readonly [unknown, string])[] = [
      [5, "5 (number)"],
      [null, "null"],
      [{ length: 3 }, "an object"],
      [Object.create(null), "an object"],
      [undefined, "undefined"],
      [/text/, "an object"],
    ];
    for (const [data, got] of refused) {
      // Callers without types may pass anything.
      await assert.rejects(h.connection.send(data as string), {
        name: "InvalidArgumentError",
        message: `Expected \`data\` to be a string, bytes, or an iterable of them, got ${got}.`,
      });
    }
    h.clock.turn();
    assert.deepEqual([h.sent(), h.connection.state, h.connection.bufferedAmount], [[], "open", 0]);
  });

  for (const role of ROLES) {
    test(`E5: a ${role}'s send resolves at once below writeLimit, waits above it, and resumes below it again`, async () => {
      const h = blocked({ role, writeLimit: 10 * KB });
      const frameSize = (size: number) => size + 4 + (role === "client" ? 4 : 0);
      const below = follow(h.connection.send(Buffer.alloc(9 * KB)));
      const above = follow(h.connection.send(Buffer.alloc(KB)));
      const behind = follow(h.connection.send(Buffer.alloc(5 * KB)));
      await h.clock.settle();
      assert.deepEqual([below.outcome, above.outcome, behind.outcome], [SENT, PENDING, PENDING]);
      const first = 2 + (role === "client" ? 4 : 0) + 5;
      assert.equal(
        h.connection.bufferedAmount,
        first + frameSize(9 * KB) + frameSize(KB) + frameSize(5 * KB),
      );

      await unblock(h); // The next write contains the first two messages: together they reach writeLimit.
      assert.equal(h.connection.bufferedAmount, 0);
      assert.deepEqual([above.outcome, behind.outcome], [SENT, SENT]);
      assert.deepEqual(
        h.transport.writes.map((write) => write.length),
        [first, frameSize(9 * KB) + frameSize(KB), frameSize(5 * KB)],
      );
    });

    test(`E5: bytes may be changed once a ${role}'s send has resolved, whatever their size`, async () => {
      for (const size of [1, 100, 16 * KB, 64 * KB, 64 * KB + 1, 200 * KB]) {
        for (const capacity of [0, Infinity]) {
          const h = new Harness({ role, capacity });
          const expected = Buffer.alloc(size, "a");
          const memory = Buffer.from(expected);
          const change = () => memory.fill("!");
          void h.connection.send(memory).then(change);
          void h.connection.send("behind");
          await h.clock.settle();
          await unblock(h);
          const [frame, behind] = parseFrames(h.transport.taken);
          assert.deepEqual(frame.payload, Uint8Array.from(expected), `${size} bytes, capacity ${capacity}`);
          assert.equal(describeFrame(behind), "TEXT behind");
          assert.equal(memory[0], 33);
        }
      }
    });
  }

  test("E5: an abort before any byte was sent removes the whole message, and no other", async () => {
    const h = blocked({ writeLimit: KB });
    const aborter = new AbortController();
    const { signal } = aborter;
    const kept = [follow(h.connection.send("a".repeat(KB))), follow(h.connection.send("kept"))];
    const aborted = [
      follow(h.connection.send("aborted", { signal })),
      follow(h.connection.send(Buffer.from("aborted"), { signal })),
    ];
    const behind = follow(h.connection.send("behind"));
    const before = h.connection.bufferedAmount;
    const reason = new Error("enough");
    aborter.abort(reason);
    await h.clock.settle();
    const rejected = { status: "rejected", error: reason };
    assert.deepEqual(
      aborted.map(({ outcome }) => outcome),
      [rejected, rejected],
    );
    assert.equal(h.connection.bufferedAmount, before - 2 * (2 + 4 + 7));
    await unblock(h);
    assert.deepEqual(
      [...kept, behind].map(({ outcome }) => outcome),
      [SENT, SENT, SENT],
    );
    assert.deepEqual(h.sent(), ["TEXT first", "TEXT (1024 bytes)", "TEXT kept", "TEXT behind"]);
  });

  test("E5: an abort of a partly sent message ends the wait, and the message is sent completely", async () => {
    const h = new Harness({ capacity: 100, writeLimit: KB });
    const aborter = new AbortController();
    const send = follow(h.connection.send(Buffer.alloc(100 * KB), { signal: aborter.signal }));
    await h.clock.settle();
    assert.deepEqual(send.outcome, PENDING);
    aborter.abort();
    await h.clock.settle();
    assert.deepEqual([send.outcome, h.connection.state], [SENT, "open"]);
    void h.connection.send("behind");
    await unblock(h);
    assert.deepEqual(h.sent(), ["BINARY (102400 bytes)", "TEXT behind"]);
  });

  test("E5: an aborted signal sends no byte; an abort after the end changes nothing", async () => {
    const h = blocked();
    const reason = new Error("before");
    const signal = AbortSignal.abort(reason);
    await assert.rejects(h.connection.send("never", { signal }), (error) => error === reason);
    // @ts-expect-error Callers without types may pass anything.
    await assert.rejects(h.connection.send("never", { signal: 5 }), {
      name: "InvalidArgumentError",
      message: "Expected `signal` to be an AbortSignal, got 5 (number).",
    });
    const aborter = new AbortController();
    const send = follow(h.connection.send(Buffer.alloc(100 * KB), { signal: aborter.signal }));
    h.transport.fail();
    await h.clock.settle();
    aborter.abort();
    await h.clock.settle();
    assert.deepEqual([send.outcome], [{ status: "rejected", error: h.connection.signal.reason as unknown }]);
    assert.deepEqual(h.sent(), ["TEXT first"]);
  });

  const losses: Readonly<Record<string, (h: Harness) => void>> = {
    "a FIN": (h) => h.transport.eof(),
    "an RST": (h) => h.transport.fail(),
    "terminate()": (h) => h.connection.terminate(),
    "our Close": (h) => void h.connection.close(),
    "the peer's Close": (h) => h.deliver(h.close(1001)),
    "a broken frame": (h) => h.deliver(h.frame({ opcode: 7 })),
    "the verdict": (h) => h.clock.advance(1000),
  };
  for (const [name, lose] of Object.entries(losses)) {
    for (const role of ROLES) {
      test(`E5: ${name} of a ${role} rejects every send that waits, none unhandled, in the end`, async () => {
        const h = blocked({ role, pingInterval: 1000, pingTimeout: 1000, closeTimeout: 5000 });
        void h.connection.send(Buffer.alloc(100 * KB)); // No test code awaits it.
        const signal = new AbortController().signal;
        const waiting = [
          follow(h.connection.send("a".repeat(100))),
          follow(h.connection.send(Buffer.alloc(100 * KB), { signal })),
        ];
        lose(h);
        void h.connection.send("too late, and nobody waits either");
        const late = follow(h.connection.send("too late"));
        h.clock.advance(5000);
        await h.end();
        const error = h.connection.signal.reason as unknown;
        const rejected = { status: "rejected", error };
        assert.deepEqual(
          [...waiting, late].map(({ outcome }) => outcome),
          [rejected, rejected, rejected],
        );
        await assert.rejects(h.connection.send("far too late"), (reason) => reason === error);
        assert.equal(h.connection.bufferedAmount, 0);
        h.assertGone();
      });
    }
  }

  test("E5: a send whose message was discarded for a Close does not resolve, and its abort changes no counter", async () => {
    const h = blocked({ writeLimit: KB });
    const aborter = new AbortController();
    const first = follow(h.connection.send("a".repeat(KB)));
    const second = follow(h.connection.send("b".repeat(KB), { signal: aborter.signal }));
    h.deliver(h.close(1000));
    await h.clock.settle();
    assert.equal(h.connection.bufferedAmount, 11, "what the socket holds");
    const reason = new Error("enough");
    aborter.abort(reason);
    await h.clock.settle();
    assert.deepEqual([first.outcome, second.outcome], [PENDING, { status: "rejected", error: reason }]);
    assert.equal(h.connection.bufferedAmount, 11);
    await unblock(h);
    h.transport.eof();
    const info = await h.end();
    assert.deepEqual(h.sent(), ["TEXT first", "CLOSE 1000"]);
    assert.equal(info.evidence.bytesBuffered, 2 * (2 + 2 + 4 + KB));
    assert.equal(first.outcome.status, "rejected");
  });

  test("E5: twenty thousand sends that nobody awaits arrive, in order", async () => {
    const h = new Harness({ capacity: 10 * KB });
    for (let index = 0; index < 20_000; index++) void h.connection.send(String(index));
    const texts: string[] = [];
    while (h.connection.bufferedAmount > 0) {
      h.transport.drain();
      for (const { payload } of h.sentFrames()) texts.push(Buffer.from(payload).toString());
    }
    assert.equal(texts.length, 20_000);
    assert(texts.every((text, index) => text === String(index)));
  });
});
