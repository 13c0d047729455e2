import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { overdrawnBy, rateOf, take, type Rate } from "../../../build/server/limits/quota.js";

function rate(perSecond: number): Rate {
  const made = rateOf(perSecond);
  assert(made !== null);
  return made;
}

test("G11: a bucket holds what a second allows, and fills at the rate", () => {
  const ten = rate(10);
  let fullAt = -Infinity;
  const outcomes: boolean[] = [];
  for (let count = 0; count < 11; count++) {
    fullAt = take(fullAt, 5_000, 1, ten);
    outcomes.push(overdrawnBy(fullAt, 5_000, ten) <= 0);
  }
  assert.deepEqual(outcomes, [...Array.from({ length: 10 }, () => true), false]);
  assert.equal(overdrawnBy(fullAt, 5_000, ten), 100);
  assert.equal(overdrawnBy(fullAt, 5_100, ten), 0);
  assert.equal(rateOf(null), null);
});

test("G11: a rate below one a second still lets one pass", () => {
  const slow = rate(0.5);
  const once = take(-Infinity, 0, 1, slow);
  assert.equal(overdrawnBy(once, 0, slow), 0);
  assert.equal(overdrawnBy(take(once, 0, 1, slow), 0, slow), 2_000);
});

test("G11: a full bucket of one lets one pass at any time, whatever the sums round to", () => {
  const times = fc.double({ min: 0, max: 1e9, noNaN: true });
  const rates = fc.double({ min: 0.001, max: 1, noNaN: true });
  fc.assert(
    fc.property(times, rates, (now, perSecond) => {
      const limit = rate(perSecond);
      assert.equal(overdrawnBy(take(-Infinity, now, 1, limit), now, limit), 0);
    }),
  );
});

test("G11: whatever comes when, no more passes than the rate and one bucket allow, and no less where it is steady", () => {
  const steps = fc.array(fc.record({ wait: fc.nat(3_000), count: fc.integer({ min: 1, max: 50 }) }));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), steps, (perSecond, events) => {
      const limit = rate(perSecond);
      let now = 0;
      let passed = 0;
      let fullAt = -Infinity;
      for (const { wait, count } of events) {
        now += wait;
        for (let index = 0; index < count; index++) {
          const next = take(fullAt, now, 1, limit);
          if (overdrawnBy(next, now, limit) > 1e-6) continue;
          fullAt = next;
          passed++;
        }
        assert(passed <= perSecond * (1 + now / 1000) + 1e-3, `${passed} in ${now} ms at ${perSecond}`);
      }
      const steady = 1000 / perSecond;
      for (let index = 0; index < 200; index++) {
        now += steady + 1e-6;
        fullAt = take(fullAt, now, 1, limit);
        assert(overdrawnBy(fullAt, now, limit) <= 1e-3);
      }
    }),
  );
});
