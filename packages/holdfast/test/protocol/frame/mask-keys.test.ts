import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "holdfast-testkit";
import { MaskKeys } from "../../../build/protocol/frame/mask-keys.js";

test("H: each key is four fresh bytes of the pool, which is refilled when it is used up (RFC 6455 section 10.3)", () => {
  const random = new SeededRandom(7);
  const fills: Buffer[] = [];
  const keys = new MaskKeys((target) => {
    random.fill(target);
    fills.push(Buffer.from(target));
  });
  assert.equal(fills.length, 0, "nothing is drawn before a key is needed");

  const taken = Buffer.alloc(5000 * 4);
  for (let index = 0; index < 5000; index++) taken.writeUInt32LE(keys.next(), index * 4);

  assert.deepEqual(
    fills.map((fill) => fill.length),
    [8192, 8192, 8192],
  );
  assert.deepEqual(taken, Buffer.concat(fills).subarray(0, taken.length));
  assert.equal(new Set(Array.from({ length: 5000 }, (_, index) => taken.readUInt32LE(index * 4))).size, 5000);
});

test("H: two users of the same keys never get the same one (RFC 6455 section 5.3)", () => {
  let next = 0;
  const keys = new MaskKeys((target) => {
    const words = new DataView(target.buffer, target.byteOffset, target.byteLength);
    for (let at = 0; at < target.length; at += 4) words.setUint32(at, ++next, true);
  });
  const taken = Array.from({ length: 6000 }, () => keys.next());
  assert.deepEqual(
    taken,
    Array.from({ length: 6000 }, (_, index) => index + 1),
  );
});
