import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OPCODE } from "holdfast-testkit";
import { Harness, ROLES } from "../harness.js";

for (const role of ROLES) {
  describe(`Connection.recvStream() of a ${role} that has stopped reading`, () => {
    /** A stream with more than `maxQueue` of unread data, so that the connection has paused reading. */
    async function full() {
      const h = new Harness({ role, maxQueue: { bytes: 1000 }, maxMessageSize: null });
      const stream = h.connection.recvStream()[Symbol.asyncIterator]();
      const first = stream.next();
      h.deliver(h.frame({ opcode: OPCODE.binary, payload: Buffer.alloc(100), isFinal: false }));
      await first;
      h.deliver(h.frame({ opcode: OPCODE.continuation, payload: Buffer.alloc(2000), isFinal: false }));
      assert.equal(h.transport.isPaused, true);
      return { h, stream };
    }

    test("E4: resumes reading when we close, so that the peer's Close is read", async () => {
      const { h } = await full();
      const closed = h.connection.close();
      await h.clock.settle();
      assert.equal(h.transport.isPaused, false);
      h.deliver(h.frame({ opcode: OPCODE.continuation, payload: "end" }), h.close(1000));
      h.transport.eof();
      const info = await h.end();
      assert.deepEqual([info.cause, info.clean], ["local-close", true]);
      assert.equal(await closed, info);
      h.assertGone();
    });

    test("E3, E4: pauses once more while the connection closes, and the reader still gets everything", async () => {
      const { h, stream } = await full();
      void h.connection.close();
      await h.clock.settle();
      const most = 20;
      let sent = 1;
      while (sent < most && !h.transport.isPaused) {
        h.deliver(
          h.frame({ opcode: OPCODE.continuation, payload: Buffer.alloc(10_000, sent++), isFinal: false }),
        );
      }
      assert.ok(sent < most, "Unread pieces must not grow without limit");
      const rest = h.frame({ opcode: OPCODE.continuation, payload: "end" });
      h.transport.arrive(Buffer.concat([rest, h.close(1000)]));
      h.transport.arriveEof();
      const sizes: number[] = [];
      const reading = (async () => {
        for (let piece = await stream.next(); piece.done !== true; piece = await stream.next())
          sizes.push(piece.value.length);
      })();
      await h.clock.advanceAsync(100);
      await reading;
      const all = 2000 + 10_000 * (sent - 1) + 3;
      assert.deepEqual([sizes.reduce((sum, size) => sum + size), sizes.at(-1)], [all, 3]);
      assert.equal((await h.end()).clean, true);
      h.assertGone();
    });

    test("E4: resumes reading when the loop over the message ends", async () => {
      const { h, stream } = await full();
      await stream.return?.();
      assert.equal(h.transport.isPaused, false);
      h.deliver(h.frame({ opcode: OPCODE.continuation, payload: "end" }), h.text("next"));
      assert.equal(await h.connection.recv(), "next");
    });
  });
}
