import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { backoffDelay, DEFAULT_BACKOFF, type BackoffSettings } from "../../build/reconnect/retry/backoff.js";

const almostOne = 1 - Number.EPSILON / 2;

describe("backoff policy", () => {
  it("F2: the first wait is uniform between minDelay and firstDelay", () => {
    const settings = { ...DEFAULT_BACKOFF, minDelay: 200 };
    assert.equal(backoffDelay(1, settings, 0), 200);
    assert.equal(backoffDelay(1, settings, 0.5), 1_100);
    assert.ok(Math.abs(backoffDelay(1, settings, almostOne) - 2_000) < 1e-6);
  });

  it("F2: later waits grow by the factor, half of each random, up to maxDelay", () => {
    const range = (attempt: number): number[] =>
      [0, almostOne].map((random) => Math.round(backoffDelay(attempt, DEFAULT_BACKOFF, random)));
    assert.deepEqual([2, 3, 4, 5, 6, 7, 400, 10_000].map(range), [
      [2_000, 3_236],
      [2_618, 5_236],
      [4_236, 8_472],
      [6_854, 13_707],
      [11_089, 22_178],
      [15_000, 30_000],
      [15_000, 30_000],
      [15_000, 30_000],
    ]);
  });

  it("F2: no second attempt happens while first ones are still due, and a quarter of the wait is random", () => {
    assert.equal(backoffDelay(2, DEFAULT_BACKOFF, 0), DEFAULT_BACKOFF.firstDelay);
    assert.equal(backoffDelay(2, { ...DEFAULT_BACKOFF, factor: 1 }, 0), 1_500);
    assert.equal(backoffDelay(2, { ...DEFAULT_BACKOFF, factor: 1 }, 0.5), 1_750);
  });

  it("F2: a firstDelay of 0 stays 0 rather than becoming NaN", () => {
    const settings = { ...DEFAULT_BACKOFF, firstDelay: 0 };
    assert.deepEqual(
      [1, 2, 500].map((attempt) => backoffDelay(attempt, settings, 0.5)),
      [0, 0, 0],
    );
  });

  it("F2: rounding makes no wait longer than the longest", () => {
    const smallest = { minDelay: 0, firstDelay: 7.4e-323, maxDelay: 7.4e-323, factor: 1 };
    assert.equal(backoffDelay(2, smallest, 29 / 30), 7.4e-323);
  });

  it("F2: whatever the settings, a wait lies between minDelay and the larger of minDelay and maxDelay", () => {
    const duration = fc.double({ min: 0, max: 1e9, noNaN: true });
    const settings: fc.Arbitrary<BackoffSettings> = fc.record({
      minDelay: duration,
      firstDelay: duration,
      maxDelay: duration,
      factor: fc.double({ min: 1, max: 100, noNaN: true }),
    });
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), settings, random, (attempt, law, chance) => {
        const delay = backoffDelay(attempt, law, chance);
        assert.ok(delay >= law.minDelay && delay <= Math.max(law.minDelay, law.maxDelay), String(delay));
      }),
    );
  });
});
