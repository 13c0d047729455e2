import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DETECTORS, type Detector } from "./detectors.js";
import { dropTimes, falseVerdicts, idlePings } from "./measure.js";
import { bufferbloat, bursts, jitter, loss, WEATHERS } from "./weathers.js";

const [adaptive, fixed, phi] = DETECTORS as unknown as readonly [Detector, Detector, Detector];

// `npm run bench -- detection` simulates 1,000 hours of each.
describe("Detection on simulated links", () => {
  for (const roundTrip of [5, 50, 200]) {
    for (const weather of [
      loss(0.05, roundTrip),
      bursts(0.03, roundTrip),
      jitter(300, roundTrip),
      bufferbloat(3_000, roundTrip),
    ]) {
      test(`O2: adaptive detection makes no false verdict in 25 connection hours at ${weather.name} and ${roundTrip} ms`, () => {
        assert.equal(falseVerdicts(adaptive, weather, 25, 20), 0);
      });
    }
  }

  test("O2: a silent drop at 50 ms is found within 6 s", (t) => {
    const { median, longest, longestToSuspicion } = dropTimes(adaptive, 500, 20);
    t.diagnostic(`median ${median.toFixed()} ms, longest ${longest.toFixed()} ms`);
    assert(longest <= 6_000, `${longest}`);
    assert((longestToSuspicion ?? Infinity) <= 3_100, `${longestToSuspicion}`);
  });

  test("O2: idle, adaptive detection pings no more often than fixed detection", () => {
    assert.equal(idlePings(adaptive, 1), idlePings(fixed, 1));
  });

  test("O2: the same links show that phi accrual mistakes loss for death, and that 20 s + 20 s is slow", () => {
    assert(falseVerdicts(phi, WEATHERS[0], 5, 20) > 0);
    assert(dropTimes(fixed, 100, 20).longest > 35_000);
  });
});
