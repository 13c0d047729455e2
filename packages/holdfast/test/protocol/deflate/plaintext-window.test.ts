import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PlaintextWindow } from "../../../build/protocol/deflate/plaintext-window.js";
import { patterned } from "../endpoint.js";

test("E8: the window is empty at first, and is the newest 2^bits bytes of all messages (RFC 7692 section 7.2.3.2)", () => {
  // Around the window's smallest memory, its size, and several of its sizes.
  const size = fc.oneof(fc.nat(40), fc.nat(2100), fc.constantFrom(255, 256, 257, 512));
  const messages = fc.array(size, { maxLength: 20 });
  fc.assert(
    fc.property(fc.integer({ min: 8, max: 11 }), messages, (bits, lengths) => {
      const window = new PlaintextWindow(bits);
      assert.equal(window.dictionary.length, 0);
      let everything = Buffer.alloc(0);
      for (const [index, length] of lengths.entries()) {
        const message = patterned(length).map((byte) => byte + index);
        window.push(message);
        everything = Buffer.concat([everything, message]);
        assert.deepEqual(Buffer.from(window.dictionary), everything.subarray(-(2 ** bits)));
      }
    }),
    { numRuns: 200 },
  );
});

test("E8: the window keeps a copy: a sender may change its bytes", () => {
  const window = new PlaintextWindow(8);
  const message = Buffer.from("Hello");
  window.push(message);
  message.fill(0);
  assert.deepEqual(Buffer.from(window.dictionary), Buffer.from("Hello"));
});

test("E8: the window uses the memory of its messages, and never more than its size", () => {
  const memory = (...lengths: readonly number[]) => {
    const window = new PlaintextWindow(15);
    for (const length of lengths) window.push(new Uint8Array(length));
    return window.dictionary.buffer.byteLength;
  };
  assert.deepEqual(
    [memory(0), memory(1), memory(400, 200), memory(600), memory(100_000), memory(20_000, 20_000)],
    [0, 512, 1024, 600, 32_768, 32_768],
  );
});
