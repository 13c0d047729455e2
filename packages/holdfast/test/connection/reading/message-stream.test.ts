import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OPCODE } from "holdfast-testkit";
import { Harness } from "../harness.js";

type Opcode = "binary" | "continuation" | "text";

for (const role of ["client", "server"] as const) {
  const fragment = (h: Harness, opcode: Opcode, payload: Uint8Array | string, isFinal = false): Uint8Array =>
    h.frame({ opcode: OPCODE[opcode], payload: Buffer.from(payload), isFinal });

  describe(`Connection.recvStream() of a ${role}`, () => {
    test("E6: yields a fragmented message piece by piece, as it arrives", async () => {
      const h = new Harness({ role });
      const stream = h.connection.recvStream();
      const pieces = ["one ", "two ", "three"];
      for (const [index, piece] of pieces.entries()) {
        const next = stream.next();
        h.deliver(fragment(h, index === 0 ? "text" : "continuation", piece, index === 2));
        assert.deepEqual(await next, { value: piece, done: false });
      }
      assert.deepEqual(await stream.next(), { value: undefined, done: true });
      h.deliver(h.text("next"));
      assert.equal(await h.connection.recv(), "next");
    });

    test("E6: yields a waiting message as one piece", async () => {
      const h = new Harness({ role });
      h.deliver(
        h.text("whole"),
        fragment(h, "binary", "ab"),
        fragment(h, "continuation", "cd", true),
        h.text("last"),
      );
      const seen: unknown[] = [];
      for (let count = 0; count < 3; count++) {
        for await (const piece of h.connection.recvStream()) seen.push(piece);
      }
      assert.deepEqual(seen, ["whole", new Uint8Array(Buffer.from("abcd")), "last"]);
    });

    test('E6: yields strings for text also with text: "bytes", awaited, waiting or in pieces', async () => {
      const h = new Harness({ role, text: "bytes" });
      const seen: unknown[] = [];
      const read = async (): Promise<void> => {
        for await (const piece of h.connection.recvStream()) seen.push(piece);
      };
      h.deliver(h.text("waiting"));
      await read();
      const reading = read();
      h.deliver(h.text("awaited"));
      await reading;
      h.deliver(fragment(h, "text", "pie"));
      const inPieces = read();
      h.deliver(fragment(h, "continuation", "ces", true));
      await inPieces;
      assert.deepEqual(seen, ["waiting", "awaited", "pie", "ces"]);
    });

    test("E6: yields a message that has begun to arrive, and splits text between characters only", async () => {
      const h = new Harness({ role });
      const euro = Buffer.from("€");
      h.deliver(fragment(h, "text", Buffer.concat([Buffer.from("a"), euro.subarray(0, 1)])));
      const stream = h.connection.recvStream();
      assert.deepEqual(await stream.next(), { value: "a", done: false });
      const next = stream.next();
      h.deliver(fragment(h, "continuation", euro.subarray(1, 2)));
      h.deliver(fragment(h, "continuation", Buffer.concat([euro.subarray(2), Buffer.from("b")]), true));
      assert.deepEqual(await next, { value: "€b", done: false });
      assert.deepEqual(await stream.next(), { value: undefined, done: true });
    });

    test("E1: fails the connection at the first bad byte (RFC 6455 section 8.1)", async () => {
      const h = new Harness({ role });
      const stream = h.connection.recvStream();
      const first = stream.next();
      h.deliver(fragment(h, "text", "good"));
      assert.deepEqual(await first, { value: "good", done: false });
      h.deliver(fragment(h, "continuation", Uint8Array.of(0xff)));
      h.transport.eof();
      await h.clock.settle();
      await assert.rejects(stream.next(), { name: "ConnectionClosedError" });
      assert.equal((await h.connection.closed).cause, "invalid-data");
    });

    test("E2: enforces maxSize instead of maxMessageSize, over all fragments", async () => {
      const h = new Harness({ role, maxMessageSize: 3 });
      const stream = h.connection.recvStream({ maxSize: 10 });
      const first = stream.next();
      h.deliver(fragment(h, "binary", "123456"));
      await first;
      h.deliver(fragment(h, "continuation", "7890A"));
      h.transport.eof();
      await h.clock.settle();
      assert.equal((await h.connection.closed).cause, "message-too-big");
    });

    test("E6: discards only the rest of its message if left early", async () => {
      const h = new Harness({ role });
      const left = (async () => {
        for await (const piece of h.connection.recvStream()) return piece;
        return null;
      })();
      h.deliver(fragment(h, "text", "first"));
      assert.equal(await left, "first");
      h.deliver(fragment(h, "continuation", "rest"));
      h.deliver(fragment(h, "continuation", "end", true), h.text("next"));
      assert.equal(await h.connection.recv(), "next");
    });

    test("E7: one reader at a time, and an abort leaves the message", async () => {
      const h = new Harness({ role });
      const aborter = new AbortController();
      const stream = h.connection.recvStream({ signal: aborter.signal });
      const waiting = assert.rejects(stream.next(), { message: "enough" });
      await assert.rejects(h.connection.recv(), { name: "ConcurrencyError" });
      aborter.abort(new Error("enough"));
      await waiting;
      h.deliver(h.text("next"));
      assert.equal(await h.connection.recv(), "next");
    });

    test("E7: leaving it while a piece is awaited ends its next(), before the message begins and within it", async () => {
      const done = { value: undefined, done: true };
      const h = new Harness({ role });
      const fresh = h.connection.recvStream();
      const first = fresh.next();
      assert.deepEqual([await fresh.return?.(), await first, await fresh.next()], [done, done, done]);
      h.deliver(h.text("whole"));
      assert.equal(await h.connection.recv(), "whole");

      const begun = h.connection.recvStream();
      h.deliver(fragment(h, "text", "begins"));
      assert.deepEqual(await begun.next(), { value: "begins", done: false });
      const second = begun.next();
      assert.deepEqual([await begun.return?.(), await second], [done, done]);
      const next = h.connection.recv();
      h.deliver(fragment(h, "continuation", "rest", true), h.text("next"));
      assert.equal(await next, "next");
    });

    test("E4: reading pauses while too much waits in it, and resumes at a quarter", async () => {
      const h = new Harness({ role, maxQueue: { bytes: 1000 }, maxMessageSize: null });
      const stream = h.connection.recvStream();
      const first = stream.next();
      h.deliver(fragment(h, "binary", "a".repeat(100)));
      await first;
      for (let count = 0; count < 11; count++) h.deliver(fragment(h, "continuation", "b".repeat(100)));
      assert.equal(h.transport.isPaused, true);
      for (let count = 0; count < 8; count++) await stream.next();
      assert.equal(h.transport.isPaused, true);
      await stream.next();
      assert.equal(h.transport.isPaused, false);
    });

    test("E5: yields the received pieces and then rejects if the connection is lost during the message", async () => {
      const h = new Harness({ role });
      const stream = h.connection.recvStream();
      const first = stream.next();
      h.deliver(fragment(h, "text", "a"));
      await first;
      h.deliver(fragment(h, "continuation", "b"));
      h.transport.fail("ECONNRESET");
      await h.clock.settle();
      assert.deepEqual(await stream.next(), { value: "b", done: false });
      await assert.rejects(stream.next(), { name: "ConnectionClosedError" });
    });
  });
}
