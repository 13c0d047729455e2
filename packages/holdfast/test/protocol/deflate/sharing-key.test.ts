import assert from "node:assert/strict";
import { test } from "node:test";
import { endsOf, PLAIN, TUNING } from "./agreements.js";

test("G5: two connections share compressed bytes only if level, memLevel and window are equal", () => {
  const keyOf = (changes: Partial<typeof TUNING & typeof PLAIN>): number =>
    endsOf({ ...PLAIN, ...changes }, { ...TUNING, ...changes }).server.sharingKey;
  const keys = new Set<number>();
  for (const serverMaxWindowBits of [8, 9, 10, 15]) {
    for (let level = 1; level <= 9; level++) {
      for (let memLevel = 1; memLevel <= 9; memLevel++)
        keys.add(keyOf({ serverMaxWindowBits, level, memLevel }));
    }
  }
  assert.equal(keys.size, 4 * 9 * 9);
  // Neither changes the bytes that the server compresses.
  assert.equal(keyOf({ threshold: 4096, clientMaxWindowBits: 9 }), keyOf({}));
});

test("G5: connections that differ in memLevel alone compress one message to different bytes", () => {
  const lines = Array.from({ length: 2000 }, (_, index) => ((index * 2_654_435_761) >>> 0).toString(36));
  const message = Buffer.from(lines.join());
  const [small, large] = [1, 9].map((memLevel) => endsOf({}, { memLevel }).server.encodeShared(message));
  assert.notDeepEqual(small, large);
});
