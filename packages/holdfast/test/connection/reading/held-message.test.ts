// Messages larger than `maxMessageSize`: the reader decides, also one that comes later.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OPCODE } from "holdfast-testkit";
import type { MessageTooBigError } from "../../../build/shared/errors.js";
import { Harness, ROLES } from "../harness.js";

function fragment(
  h: Harness,
  opcode: keyof typeof OPCODE,
  payload: string | Uint8Array,
  isFinal = false,
): Uint8Array {
  return h.frame({ opcode: OPCODE[opcode], payload, isFinal });
}

async function collect(stream: AsyncIterable<string | Uint8Array>): Promise<string> {
  let text = "";
  for await (const piece of stream) text += typeof piece === "string" ? piece : Buffer.from(piece).toString();
  return text;
}

/** The peer closes the socket once it has seen the Close. */
async function causeOf(h: Harness): Promise<string> {
  await h.clock.settle();
  h.transport.eof();
  await h.clock.settle();
  return (await h.connection.closed).cause;
}

for (const role of ROLES) {
  describe(`Messages larger than maxMessageSize, at a ${role}`, () => {
    test("E2: recvStream() reads one that arrived before the call, in one frame or in many, with what follows", async () => {
      const h = new Harness({ role, maxMessageSize: 4 });
      h.deliver(
        fragment(h, "text", "size", true),
        fragment(h, "text", "0123456789", true),
        fragment(h, "text", "last", true),
      );
      assert.equal(await h.connection.recv(), "size");
      assert.equal(await collect(h.connection.recvStream()), "0123456789");
      assert.equal(await h.connection.recv(), "last");

      h.deliver(fragment(h, "binary", "abc"), fragment(h, "continuation", "def"));
      const collecting = collect(h.connection.recvStream({ maxSize: 9 }));
      h.deliver(fragment(h, "continuation", "ghi", true), fragment(h, "text", "more", true));
      assert.equal(await collecting, "abcdefghi");
      assert.equal(await h.connection.recv(), "more");
      assert.equal(h.connection.state, "open");
      assert.equal(h.connection.traffic.messagesReceived, 5);
    });

    test("E2: two large messages in one chunk are read by two calls of recvStream()", async () => {
      const h = new Harness({ role, maxMessageSize: 4 });
      const first = h.connection.recvStream();
      const begun = first.next();
      h.deliver(
        fragment(h, "text", "first"),
        fragment(h, "continuation", "-message", true),
        fragment(h, "text", "second"),
        fragment(h, "continuation", "-message", true),
      );
      assert.deepEqual(await begun, { value: "first", done: false });
      assert.equal(await collect(first), "-message");
      assert.equal(await collect(h.connection.recvStream()), "second-message");
      assert.equal(h.connection.state, "open");
    });

    for (const [title, read] of [
      ["recv()", (h: Harness) => h.connection.recv()],
      ["an iteration", (h: Harness) => h.connection[Symbol.asyncIterator]().next()],
      ["forEach()", (h: Harness) => h.connection.forEach(() => undefined)],
      ["awaiting `closed`", (h: Harness) => h.connection.closed],
      ["discard()", async (h: Harness) => h.connection.discard()],
    ] as const) {
      test(`E2: for ${title} it is too big, before and after it arrives: 1009 names both sizes`, async () => {
        for (const isLate of [true, false]) {
          const h = new Harness({ role, maxMessageSize: 4 });
          const large = fragment(h, "text", "0123456789", true);
          if (isLate) h.deliver(large);
          const reading = read(h);
          reading.catch(() => undefined);
          if (!isLate) h.deliver(large);
          await h.clock.settle();
          const [close] = h.sentFrames().filter(({ opcode }) => opcode === OPCODE.close);
          const payload = Buffer.from(close.payload);
          assert.equal(payload.readUInt16BE(0), 1009);
          assert.match(payload.toString("utf8", 2), /at most 4 bytes, got.* 10/);
          assert.equal(await causeOf(h), "message-too-big");
          const { error } = await h.connection.closed;
          const { size, limit } = error as MessageTooBigError;
          assert.deepEqual([size, limit], [10, 4]);
        }
      });
    }

    test("E2: recvStream() with a smaller maxSize than the message, before and after it arrives, gets 1009", async () => {
      for (const isLate of [true, false]) {
        const h = new Harness({ role, maxMessageSize: 4 });
        const large = fragment(h, "text", "0123456789", true);
        if (isLate) h.deliver(large);
        const reading = h.connection.recvStream({ maxSize: 9 }).next();
        reading.catch(() => undefined);
        if (!isLate) h.deliver(large);
        assert.equal(await causeOf(h), "message-too-big");
        await assert.rejects(reading, { name: "ConnectionClosedError" });
      }
    });

    test("E4: what waits for the reader is bounded by maxQueue, and reading goes on at a quarter", async () => {
      const h = new Harness({ role, maxMessageSize: 4, maxQueue: { messages: null, bytes: 10_000 } });
      h.deliver(fragment(h, "binary", new Uint8Array(8_000)));
      assert.equal(h.transport.isPaused, false);
      h.deliver(fragment(h, "continuation", new Uint8Array(8_000)));
      assert.equal(h.transport.isPaused, true);
      const stream = h.connection.recvStream();
      await stream.next();
      await stream.next();
      assert.equal(h.transport.isPaused, false);
      h.deliver(fragment(h, "continuation", "", true));
      assert.deepEqual(await stream.next(), { value: undefined, done: true });
    });

    test("E2: nobody reads it for seconds: 1009; an application that reads slowly has all the time it needs", async () => {
      const unread = new Harness({ role, maxMessageSize: 4 });
      unread.deliver(fragment(unread, "text", "0123456789", true));
      unread.clock.advance(4_000);
      assert.equal(unread.connection.state, "open");
      unread.clock.advance(2_000);
      assert.equal(await causeOf(unread), "message-too-big");

      const slow = new Harness({ role, maxMessageSize: 4 });
      slow.deliver(fragment(slow, "text", "a", true));
      await slow.connection.recv();
      slow.deliver(fragment(slow, "text", "0123456789", true));
      slow.clock.advance(60_000);
      assert.equal(await collect(slow.connection.recvStream()), "0123456789");
      assert.equal(slow.clock.pendingTimers, 0);
    });

    test("D8: one that is complete can be read after the end, and one that is not ends with the error", async () => {
      const whole = new Harness({ role, maxMessageSize: 4 });
      whole.deliver(fragment(whole, "text", "0123456789", true));
      whole.transport.eof();
      await whole.clock.settle();
      assert.equal(await collect(whole.connection.recvStream()), "0123456789");

      const cut = new Harness({ role, maxMessageSize: 4 });
      cut.deliver(fragment(cut, "text", "0123456789"));
      cut.transport.eof();
      await cut.clock.settle();
      const stream = cut.connection.recvStream();
      assert.deepEqual(await stream.next(), { value: "0123456789", done: false });
      await assert.rejects(stream.next(), { name: "ConnectionClosedError" });
    });
  });
}
