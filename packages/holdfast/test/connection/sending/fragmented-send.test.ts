import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OPCODE } from "holdfast-testkit";
import { Harness } from "../harness.js";

/** Descriptions of the sent frames. */
function shown(h: Harness): readonly string[] {
  h.clock.advance(0);
  return h.sentFrames().map(({ opcode, isFinal, payload }) => {
    const name = Object.entries(OPCODE).find(([, value]) => value === opcode)?.[0] ?? "";
    const bytes = Buffer.from(payload);
    const content = opcode === OPCODE.close ? `${bytes.readUInt16BE(0)} ${bytes.toString("utf8", 2)}` : bytes;
    return `${name}${isFinal ? "" : "…"} ${content.toString()}`;
  });
}

async function* slowly(h: Harness, pieces: readonly string[]): AsyncGenerator<string> {
  for (const piece of pieces) {
    await new Promise<void>((resolve) => h.clock.setTimer(10, resolve));
    yield piece;
  }
}

for (const role of ["client", "server"] as const) {
  describe(`An iterable sent by a ${role}`, () => {
    test("E6: is one message, with one fragment per piece (RFC 6455 section 5.4)", async () => {
      const h = new Harness({ role });
      await h.connection.send(["one ", "two ", "thrée"]);
      assert.deepEqual(shown(h), ["text… one ", "continuation… two ", "continuation thrée"]);
      await h.connection.send([Buffer.from("bytes "), new Uint16Array([0x4142])]);
      assert.deepEqual(shown(h), ["binary… bytes ", "continuation BA"]);
      await h.connection.send(new Set(["alone"]));
      assert.deepEqual(shown(h), ["text alone"]);
    });

    test("E6: without pieces is no message", async () => {
      const h = new Harness({ role });
      await h.connection.send([]);
      await h.connection.send("next");
      assert.deepEqual(shown(h), ["text next"]);
    });

    test("E1, E6: is one text: a surrogate pair that is split between two pieces stays one character", async () => {
      const h = new Harness({ role });
      for (const pieces of [
        ["a\ud83d", "\ude00b"],
        ["\ud83d", "", "\ude00"],
        ["a\ud83d", "b\ude00"],
        ["\ud83d\ud83d", "\ude00\ud83d"],
      ])
        await h.connection.send(pieces);
      assert.deepEqual(shown(h), [
        "text… a",
        "continuation 😀b",
        "text… ",
        "continuation… ",
        "continuation 😀",
        "text… a",
        "continuation �b�",
        "text… �",
        "continuation 😀�",
      ]);
    });

    test("E6: may be asynchronous, and delays other messages, but no ping, pong or Close", async () => {
      const h = new Harness({ role });
      const sending = h.connection.send(slowly(h, ["a", "b", "c"]));
      const [second, third] = [h.connection.send("second"), h.connection.send(["third", "!"])];
      await h.clock.advanceAsync(25);
      void h.connection.ping("?").catch(() => undefined);
      h.connection.pong("!");
      await h.clock.advanceAsync(25);
      await Promise.all([sending, second, third]);
      assert.deepEqual(shown(h), [
        "text… a",
        "ping ?",
        "pong !",
        "continuation… b",
        "continuation c",
        "text second",
        "text… third",
        "continuation !",
      ]);
    });

    test("E6: that fails before its first frame has left changes nothing", async () => {
      for (const [source, message] of [
        [[1, 2], "Expected each fragment to be a string or bytes, got 1 (number)."],
        [
          ["text", Buffer.from("bytes")],
          "Expected each fragment to be a string, as the first one was, got an object.",
        ],
        [new Map([["a", "b"]]), "Expected each fragment to be a string or bytes, got an array."],
      ] as const) {
        await assertRefused(source, message);
      }
    });

    /** Nothing of the source is sent, and the connection works. */
    async function assertRefused(source: unknown, message: string): Promise<void> {
      const h = new Harness({ role });
      await assert.rejects(h.connection.send(source as string[]), { name: "InvalidArgumentError", message });
      await h.connection.send("still here");
      assert.deepEqual(shown(h), ["text still here"]);
      assert.equal(h.connection.state, "open");
    }

    test("E6: that is no iterable, although it has a member of that name, is refused", async () => {
      const expected = "Expected `data` to be a string, bytes, or an iterable of them, got an object.";
      for (const [source, message] of [
        [{ [Symbol.iterator]: 5 }, expected],
        [{ [Symbol.asyncIterator]: () => null }, expected],
        [{ [Symbol.iterator]: () => ({ next: "a" }) }, expected],
        [
          { [Symbol.iterator]: () => ({ next: () => undefined }) },
          "Expected next() of the iterator to give an object with a value, got undefined.",
        ],
      ] as const) {
        await assertRefused(source, message);
      }
    });

    test("E6: that throws between fragments ends the connection with 1011, and is closed", async () => {
      const h = new Harness({ role });
      let isLeft = false;
      function* failing(): Generator<string> {
        try {
          yield "a";
          yield "b";
          throw new Error("no more");
        } finally {
          isLeft = true;
        }
      }
      const waiting = h.connection.send("behind it");
      await assert.rejects(h.connection.send(failing()), { message: "no more" });
      await waiting;
      assert.deepEqual(shown(h), ["text behind it", "text… a", "close 1011 error in fragmented message"]);
      assert.deepEqual([isLeft, h.connection.state], [true, "closing"]);
    });

    test("E5: that is aborted between fragments ends the connection; before the first, it does not", async () => {
      const h = new Harness({ role });
      const aborter = new AbortController();
      const sending = h.connection.send(slowly(h, ["a", "b", "c"]), { signal: aborter.signal });
      await h.clock.advanceAsync(5);
      aborter.abort(new Error("changed my mind"));
      await assert.rejects(sending, { message: "changed my mind" });
      assert.equal(h.connection.state, "open");

      const later = new AbortController();
      const begun = h.connection.send(slowly(h, ["a", "b", "c"]), { signal: later.signal });
      await h.clock.advanceAsync(25);
      later.abort(new Error("too late"));
      await assert.rejects(begun, { message: "too late" });
      assert.deepEqual(shown(h), ["text… a", "close 1011 error in fragmented message"]);
    });

    for (const pieces of [["a", "b"], ["alone"]]) {
      test(`E5: an abort after the last of ${pieces.length} pieces, which waits for the socket, ends only the wait`, async () => {
        const h = new Harness({ role, capacity: 0, writeLimit: 1 });
        // A socket is full once it has taken one write.
        if (pieces.length === 1) void h.connection.send("first");
        h.clock.turn();
        const aborter = new AbortController();
        const sending = h.connection.send(pieces, { signal: aborter.signal });
        await h.clock.settle();
        h.transport.setCapacity(1);
        if (pieces.length === 2) h.transport.drain();
        await h.clock.settle();
        aborter.abort(new Error("too late"));
        await assert.rejects(sending, { message: "too late" });
        assert.equal(h.connection.state, "open");
        h.transport.setCapacity(Infinity);
        h.transport.drain();
        await h.connection.send("next");
        assert.deepEqual(shown(h).slice(-2), [
          pieces.length === 1 ? "text alone" : "continuation b",
          "text next",
        ]);
      });
    }

    test("E5: that never ends, and messages queued after it, are rejected when the connection is lost", async () => {
      const h = new Harness({ role });
      const endless: AsyncIterable<string> = {
        [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
      };
      const sending = assert.rejects(h.connection.send(endless), { name: "ConnectionClosedError" });
      const behind = assert.rejects(h.connection.send("behind"), { name: "ConnectionClosedError" });
      h.transport.fail("ECONNRESET");
      await h.clock.settle();
      await Promise.all([sending, behind]);
    });
  });
}
