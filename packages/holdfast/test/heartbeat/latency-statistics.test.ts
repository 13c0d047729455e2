import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LatencyStatistics } from "../../build/heartbeat/latency-statistics.js";
import { answersInTurn, mute } from "./peers.js";
import { Simulation } from "./simulated-peer.js";

const NO_PINGS = { sent: 0, answered: 0, lost: 0 };

function statisticsOf(samples: readonly number[]): LatencyStatistics {
  const statistics = new LatencyStatistics();
  for (const sample of samples) statistics.add(sample);
  return statistics;
}

test("C14: before the first sample everything is null, and the counts are 0", () => {
  assert.deepEqual(new LatencyStatistics().snapshot(), {
    ...{ last: null, min: null, max: null, mean: null, smoothed: null, jitter: null },
    ...{ p50: null, p95: null, p99: null, ...NO_PINGS },
  });
  assert.equal(new LatencyStatistics().last, null);
  assert.equal(new LatencyStatistics().smoothed, null);
});

test("C14: the statistics of a scripted sequence are exact (RFC 6298 section 2)", () => {
  const statistics = statisticsOf([100]);
  assert.deepEqual(statistics.snapshot(), {
    ...{ last: 100, min: 100, max: 100, mean: 100, smoothed: 100 },
    ...{ jitter: 50, p50: 100, p95: 100, p99: 100, ...NO_PINGS },
  });
  // jitter = 3/4 · 50 + 1/4 · |100 − 180| = 57.5; smoothed = 7/8 · 100 + 1/8 · 180 = 110.
  statistics.add(180);
  assert.deepEqual(statistics.snapshot(), {
    ...{ last: 180, min: 100, max: 180, mean: 140, smoothed: 110 },
    ...{ jitter: 57.5, p50: 100, p95: 180, p99: 180, ...NO_PINGS },
  });
  // jitter = 3/4 · 57.5 + 1/4 · |110 − 30| = 63.125; smoothed = 7/8 · 110 + 1/8 · 30 = 100.
  statistics.add(30);
  // jitter = 3/4 · 63.125 + 1/4 · |100 − 20| = 67.34375; smoothed = 7/8 · 100 + 1/8 · 20 = 90.
  statistics.add(20);
  assert.deepEqual(statistics.snapshot(), {
    ...{ last: 20, min: 20, max: 180, mean: 82.5, smoothed: 90 },
    ...{ jitter: 67.34375, p50: 30, p95: 180, p99: 180, ...NO_PINGS },
  });
});

test("C14: percentiles are nearest-rank, and of the newest 128 samples only", () => {
  // 1 … 128 in another order: the 64th, the ⌈121.6⌉ = 122nd and the ⌈126.72⌉ = 127th smallest.
  const statistics = statisticsOf(Array.from({ length: 128 }, (_, index) => ((index * 37) % 128) + 1));
  const { p50, p95, p99 } = statistics.snapshot();
  assert.deepEqual({ p50, p95, p99 }, { p50: 64, p95: 122, p99: 127 });

  // 64 more of 1,000 push out the oldest 64, the rest of which is 64 of 1 … 128; mean, min and max remember all.
  for (let count = 0; count < 64; count++) statistics.add(1000);
  const mixed = statistics.snapshot();
  assert.deepEqual([mixed.p95, mixed.p99, mixed.min, mixed.max], [1000, 1000, 1, 1000]);
  for (let count = 0; count < 64; count++) statistics.add(5);
  const { min, max, mean, ...newest } = statistics.snapshot();
  assert.deepEqual([min, max, mean], [1, 1000, (8256 + 64_000 + 320) / 256]);
  assert.deepEqual([newest.p50, newest.p95, newest.p99], [5, 1000, 1000]);
  statistics.add(5);
  assert.equal(statistics.snapshot().p50, 5);
});

test("C14: samples sort as numbers", () => {
  const { p50, p99 } = statisticsOf([9, 10, 100, 0.5, 0]).snapshot();
  assert.deepEqual({ p50, p99 }, { p50: 9, p99: 100 });
});

test("C14: a snapshot does not change with later samples", () => {
  const statistics = statisticsOf([7]);
  const before = statistics.snapshot();
  statistics.add(1000);
  assert.equal(before.max, 7);
  assert.equal(statistics.last, 1000);
});

test("C14: any sequence: the same as a plain computation over all of it", () => {
  const samples = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), {
    minLength: 1,
    maxLength: 300,
    size: "max",
  });
  fc.assert(
    fc.property(samples, (all) => {
      const stats = statisticsOf(all).snapshot();
      const newest = all.slice(-128).sort((one, other) => one - other);
      const rank = (percent: number): number => newest[Math.ceil((percent * newest.length) / 100) - 1] ?? NaN;
      const { last, min, max, p50, p95, p99 } = stats;
      assert.deepEqual(
        { last, min, max, p50, p95, p99 },
        {
          ...{ last: all.at(-1), min: Math.min(...all), max: Math.max(...all) },
          ...{ p50: rank(50), p95: rank(95), p99: rank(99) },
        },
      );
    }),
    // Shrinking 300 doubles takes minutes.
    { seed: 14, numRuns: 200, endOnFailure: true },
  );
});

test("C14: the heartbeat feeds them: samples from matching pongs, and each ping ends as answered or lost", () => {
  const simulation = new Simulation({ pingInterval: 1000 }, answersInTurn([100, 180, null, 30], mute)).open();
  simulation.advance(3500).ping("a").advance(10).abandon("a").advance(1000).end();
  // k1 100, k2 180, k3 by the pong of k4 (30); the application's own is abandoned, k5 in flight at the end.
  assert.deepEqual(simulation.heartbeat.statistics.snapshot(), {
    ...{ last: 30, min: 30, max: 180, mean: 310 / 3, smoothed: 100 },
    ...{ jitter: 63.125, p50: 100, p95: 180, p99: 180 },
    ...{ sent: 6, answered: 4, lost: 2 },
  });
});
