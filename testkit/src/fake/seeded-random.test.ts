import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SeededRandom } from "./seeded-random.js";

describe("SeededRandom", () => {
  test("gives the same bytes for the same seed, and others for another", () => {
    assert.deepEqual(new SeededRandom(7).bytes(64), new SeededRandom(7).bytes(64));
    assert.notDeepEqual(new SeededRandom(7).bytes(64), new SeededRandom(8).bytes(64));
  });

  test("is the published mulberry32", () => {
    const random = new SeededRandom(0);
    assert.deepEqual(
      [random.number(), random.number()].map((number) => number * 2 ** 32),
      [1_144_304_738, 1_416_247],
    );
  });

  test("spreads its numbers evenly over their range", () => {
    const random = new SeededRandom(42);
    const counts = new Array<number>(6).fill(0);
    for (let round = 0; round < 6_000; round++) {
      const face = random.integer(1, 6);
      counts[face - 1] = (counts[face - 1] ?? 0) + 1;
    }
    assert.ok(
      counts.every((count) => count > 850 && count < 1_150),
      counts.join(),
    );
  });
});
