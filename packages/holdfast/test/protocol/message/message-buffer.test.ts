import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MessageBuffer } from "../../../build/protocol/message/message-buffer.js";
import { patterned } from "../endpoint.js";

test("E3: pieces come out joined, in memory of at most twice their size and of no more than the limit", () => {
  const limit = 5000;
  fc.assert(
    fc.property(fc.array(fc.nat(700), { maxLength: 7 }), fc.nat(9), (sizes, offset) => {
      const buffer = new MessageBuffer(limit);
      const chunk = Buffer.from(patterned(720));
      const expected: Buffer[] = [];
      for (const size of sizes) {
        buffer.append(chunk, offset, offset + size);
        expected.push(chunk.subarray(offset, offset + size));
        assert.equal(buffer.length, Buffer.concat(expected).length);
      }
      const whole = buffer.take();
      assert.deepEqual(whole, Buffer.concat(expected));
      assert(whole.buffer.byteLength <= Math.min(limit, Math.max(256, whole.length * 2)));
      assert.equal(buffer.length, 0);
    }),
  );
});

test("E3: what was taken stays as it is while the next message is put together", () => {
  const buffer = new MessageBuffer(100);
  buffer.append(Buffer.from("first"), 0, 5);
  const first = buffer.take();
  buffer.append(Buffer.from("other"), 0, 5);
  assert.deepEqual(
    [first, buffer.take(), buffer.take()],
    [Buffer.from("first"), Buffer.from("other"), Buffer.alloc(0)],
  );
});

test("E3: a hundred thousand pieces of one byte are moved a dozen times at most, not each time", (context) => {
  const allocate = context.mock.method(Buffer, "allocUnsafeSlow");
  const buffer = new MessageBuffer(100_000);
  const piece = Buffer.from("a");
  for (let index = 0; index < 100_000; index++) buffer.append(piece, 0, 1);
  const allocated = allocate.mock.calls.map((call) => call.arguments[0]);
  assert.deepEqual(allocated, [256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 100_000]);
});

test("E3: a large message whose length was announced gets its memory at once, by the first chunk of it", (context) => {
  const allocate = context.mock.method(Buffer, "allocUnsafeSlow");
  const buffer = new MessageBuffer(2 ** 20);
  const chunk = Buffer.alloc(2 ** 16);
  buffer.append(chunk, 14, chunk.length, 2 ** 20);
  for (let index = 0; index < 15; index++) buffer.append(chunk, 0, chunk.length, 2 ** 20);
  buffer.append(chunk, 0, 14, 2 ** 20);
  assert.deepEqual(
    [buffer.length, allocate.mock.calls.map((call) => call.arguments[0])],
    [2 ** 20, [2 ** 20]],
  );
});
