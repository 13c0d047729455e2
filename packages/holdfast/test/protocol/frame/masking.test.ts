import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createSimdCopy } from "../../../build/protocol/frame/masking-simd.js";
import {
  applyMask,
  copyAndMask,
  copyUnmasked,
  maskBytewise,
  type MaskingCopy,
  maskWordwise,
  releaseView,
  rotateKey,
} from "../../../build/protocol/frame/masking.js";
import { patterned } from "../endpoint.js";

const MASK = Uint8Array.of(0x37, 0xfa, 0x21, 0x9d);
const KEY = 0x9d21fa37;

type Mask = typeof maskBytewise;

const inPlace =
  (copy: MaskingCopy): Mask =>
  (bytes, start, end, key) =>
    copy(bytes, start, end, key, bytes, start);

/** RFC 6455 section 5.3 word for word, on one byte at a time. */
function masked(bytes: Uint8Array, start: number, end: number, mask: Uint8Array, phase: number): Uint8Array {
  return bytes.map((byte, index) =>
    index < start || index >= end ? byte : byte ^ (mask[(index - start + phase) % 4] ?? 0),
  );
}

test("E: masking by words equals masking by bytes at each alignment, phase and length (RFC 6455 section 5.3)", () => {
  const lengths = [0, 1, 2, 3, 4, 5, 31, 126, 127, 128, 129, 130, 131, 132, 159, 160, 161, 1000];
  for (const offset of [0, 1, 2, 3, 4]) {
    for (const start of [0, 1, 2, 3, 4, 5]) {
      for (const phase of [0, 1, 2, 3, 4, 7]) {
        for (const length of lengths) {
          const whole = patterned(offset + start + length + 9);
          const bytes = whole.subarray(offset);
          const expected = masked(bytes, start, start + length, MASK, phase);
          const before = whole.slice(0, offset);
          applyMask(bytes, start, start + length, rotateKey(KEY, phase));
          assert.deepEqual([before, bytes], [whole.subarray(0, offset), expected]);
        }
      }
    }
  }
});

test("E: the plain way by bytes follows the RFC at each length (RFC 6455 section 5.3)", () => {
  for (let length = 0; length < 300; length++) {
    const bytes = patterned(length + 3);
    const expected = masked(bytes, 2, length + 2, MASK, 0);
    maskBytewise(bytes, 2, length + 2, KEY);
    assert.deepEqual(bytes, expected);
  }
});

test("E: a payload masked in pieces equals the payload masked at once, and masking twice gives it back", () => {
  const pieces = fc.array(fc.nat(400), { maxLength: 6 });
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), pieces, fc.nat(7), (mask, sizes, offset) => {
      const length = sizes.reduce((sum, size) => sum + size, 0);
      const key = Buffer.from(mask).readUInt32LE();
      const bytes = patterned(offset + length).subarray(offset);
      const original = bytes.slice();
      let at = 0;
      for (const size of sizes) {
        applyMask(bytes, at, at + size, rotateKey(key, at));
        at += size;
      }
      assert.deepEqual(bytes, masked(original, 0, length, mask, 0));
      applyMask(bytes, 0, length, key);
      assert.deepEqual(bytes, original);
    }),
  );
});

test("E: a key may be given as a signed number, and the key 0 changes nothing", () => {
  for (const length of [10, 500]) {
    const expected = masked(patterned(length), 0, length, MASK, 1);
    const signed = patterned(length);
    applyMask(signed, 0, length, rotateKey(KEY | 0, 1));
    const unmasked = patterned(length);
    applyMask(unmasked, 0, length, rotateKey(0, 1));
    assert.deepEqual([signed, unmasked], [expected, patterned(length)]);
  }
});

test("E: every way of masking large payloads equals the plain one, at each alignment (RFC 6455 section 5.3)", (context) => {
  const simd = createSimdCopy();
  if (simd === null) {
    context.skip("this runtime has no WebAssembly with SIMD");
    return;
  }
  const lengths = [128, 191, 192, 193, 1023, 1024, 1025, 65_535, 65_536, 65_537, 200_003];
  for (const length of lengths) {
    for (const start of [0, 1, 2, 3, 5, 64]) {
      const whole = patterned(start + length + 70);
      const expected = Uint8Array.from(whole);
      maskBytewise(expected, start, start + length, KEY);
      const ways: Mask[] = [inPlace(simd), inPlace(copyAndMask), maskWordwise];
      for (const mask of [...ways, applyMask]) {
        const bytes = Uint8Array.from(whole);
        mask(bytes, start, start + length, KEY);
        assert(Buffer.compare(bytes, expected) === 0, `${length} bytes from ${start}`);
      }
    }
  }
});

test("E: each way of masking detects whether the result is ASCII, wherever another byte is", (context) => {
  const simd = createSimdCopy();
  if (simd === null) context.diagnostic("without WebAssembly and SIMD");
  const start = 3;
  for (const length of [
    0, 1, 2, 3, 4, 5, 63, 64, 65, 127, 130, 255, 500, 1023, 1024, 1025, 1055, 1088, 70_001,
  ]) {
    const ascii = Buffer.alloc(length + 80, "text");
    // Bytes next to the payload, or masked before it, do not count.
    ascii[start - 1] = 0xff;
    ascii[start + length] = 0xff;
    const judge = (mask: Mask, bytes: Uint8Array): boolean => {
      maskBytewise(bytes, start, start + length, KEY);
      return mask(bytes, start, start + length, KEY);
    };
    const together: Mask = (bytes, from, to, key) => {
      const many = new Uint8Array(bytes.length * 5);
      many.set(bytes);
      return applyMask(many, from, to, key);
    };
    const large =
      length < 63 ? [] : [maskWordwise, inPlace(copyAndMask), ...(simd === null ? [] : [inPlace(simd)])];
    for (const mask of [maskBytewise, ...large, applyMask, together]) {
      assert.equal(judge(mask, Buffer.from(ascii)), true, `${length} bytes of ASCII`);
      for (const at of new Set([0, 1, 2, 3, length >> 1, length - 4, length - 3, length - 2, length - 1])) {
        if (at < 0 || at >= length) continue;
        const bytes = Buffer.from(ascii);
        bytes[start + at] = 0x80;
        assert.equal(judge(mask, bytes), false, `byte ${at} of ${length}`);
      }
    }
  }
});

test("E: a payload that is unmasked on its way to another place arrives there, and only there", () => {
  const simd = createSimdCopy();
  for (const length of [0, 1, 3, 5, 63, 127, 200, 1023, 1024, 1025, 65_535, 65_537]) {
    for (const start of [0, 1, 6]) {
      const ascii = Buffer.alloc(start + length + 9, "text");
      const source = Buffer.from(ascii);
      maskBytewise(source, start, start + length, KEY);
      const large = length < 1024 ? [] : [copyAndMask, ...(simd === null ? [] : [simd])];
      for (const copy of [copyUnmasked, ...large]) {
        const target = Buffer.alloc(length + 20, 0xee);
        assert.equal(copy(Buffer.from(source), start, start + length, KEY, target, 7), true);
        const expected = Buffer.alloc(length + 20, 0xee);
        ascii.copy(expected, 7, start, start + length);
        assert(target.equals(expected), `${length} bytes from ${start}`);
        if (length === 0) continue;
        source[start + length - 1] ^= 0x80;
        assert.equal(copy(Buffer.from(source), start, start + length, KEY, target, 7), false);
        source[start + length - 1] ^= 0x80;
      }
      const plain = Buffer.alloc(length + 7);
      assert.equal(copyUnmasked(ascii, start, start + length, 0, plain, 7), false, "nobody has looked");
      assert(plain.subarray(7).equals(ascii.subarray(start, start + length)));
    }
  }
});

test("E: payloads that lie in one piece of memory are masked as each one alone, in whatever order the pieces come", () => {
  const piece = (): Uint8Array => patterned(1 + 4 * 700).subarray(1); // Of no alignment.
  const [one, two] = [piece(), piece()];
  const [expectedOne, expectedTwo] = [Uint8Array.from(one), Uint8Array.from(two)];
  for (let at = 0; at < 600; at += 37) {
    for (const [bytes, expected] of [
      [one, expectedOne],
      [two, expectedTwo],
    ] as const) {
      applyMask(bytes, at, at + 31, rotateKey(KEY, at));
      expected.set(masked(expected, at, at + 31, MASK, at));
    }
    if (at % 2 === 0) releaseView(two);
    releaseView(patterned(3)); // Another array: has no effect.
  }
  assert.deepEqual([one, two], [expectedOne, expectedTwo]);
});

test("E: masking works where WebAssembly cannot be compiled", (context) => {
  context.mock.method(WebAssembly, "Module", () => {
    throw new EvalError("Code generation is not allowed");
  });
  assert.equal(createSimdCopy(), null);
});
