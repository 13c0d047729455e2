import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { pickWindow } from "../../../build/server/inspect/snapshot/pick.js";

describe("The window of sorted rows", () => {
  const key = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.double({ noNaN: true }), fc.constant(Infinity));

  test("P1: it is the part of a stable sort, whatever the keys", () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 60 }), fc.nat(70), fc.nat(70), (keys, offset, limit) => {
        const items = keys.map((_, index) => index);
        const sorted = [...items].sort((a, b) => (keys[a] === keys[b] ? a - b : keys[a] < keys[b] ? -1 : 1));
        assert.deepEqual(
          pickWindow(items, Float64Array.from(keys), offset, limit),
          sorted.slice(offset, offset + limit),
        );
      }),
    );
  });
});
