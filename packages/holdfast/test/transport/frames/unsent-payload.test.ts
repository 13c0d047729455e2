// The bytes of `bufferedAmount` of the WHATWG standard: those of the messages, without framing.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { coreOf } from "../../../build/connection/core-of.js";
import { Harness } from "../../connection/harness.js";

const message = fc.oneof(
  fc.string({ maxLength: 130 }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.constantFrom("x".repeat(125), "x".repeat(126), "é".repeat(63), "é".repeat(2000), "€".repeat(30_000)),
  fc.constantFrom(125, 126, 65_535, 65_536, 100_000).map((size) => Buffer.alloc(size)),
);
/** A message, a Pong between messages, or the end of the turn. */
const step = fc.oneof({ arbitrary: message, weight: 5 }, fc.constantFrom("pong" as const, "turn" as const));

function unsentPayload(h: Harness): number {
  return coreOf(h.connection).transport.unsentPayload ?? NaN;
}

for (const [what, capacity] of [
  ["everything", Infinity],
  ["nothing", 0],
] as const) {
  test(`N1: unsent payload is exact while the socket accepts ${what}`, () => {
    const writeLimit = fc.constantFrom(1, 1000, 64 * 1024, 1_000_000);
    fc.assert(
      fc.property(writeLimit, fc.array(step, { maxLength: 40 }), (limit, steps) => {
        const h = new Harness({ capacity, writeLimit: limit });
        let expected = 0;
        for (const each of steps) {
          if (each === "turn") {
            h.clock.turn();
            if (capacity > 0) expected = 0;
          } else if (each === "pong") {
            h.connection.pong("some");
          } else {
            void h.connection.send(each);
            expected += Buffer.byteLength(each);
          }
          assert.equal(unsentPayload(h), expected);
        }
      }),
    );
  });
}

test("N1: while the socket accepts a part, unsent payload is at least what waits, and at most that with its framing", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.nat(5000), (steps, capacity) => {
      const h = new Harness({ capacity });
      let total = 0;
      for (const each of steps) {
        if (each === "turn" || each === "pong") continue;
        void h.connection.send(each);
        total += Buffer.byteLength(each);
      }
      assert.equal(unsentPayload(h), total);
      h.clock.turn();
      h.clock.turn();
      const { bufferedAmount } = h.connection;
      assert.equal(unsentPayload(h), Math.min(total, bufferedAmount));
      h.transport.setCapacity(Infinity);
      h.transport.drain();
      h.clock.turn();
      assert.equal(unsentPayload(h), 0);
    }),
  );
});
