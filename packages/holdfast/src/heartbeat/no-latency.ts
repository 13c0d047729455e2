// The statistics before the first round trip. Apart from latency-statistics.ts, which a page loads only for open
// connections.

import type { LatencyStats } from "./latency-statistics.js";

export function noLatency(): LatencyStats {
  return {
    last: null,
    min: null,
    max: null,
    mean: null,
    smoothed: null,
    jitter: null,
    p50: null,
    p95: null,
    p99: null,
    sent: 0,
    answered: 0,
    lost: 0,
  };
}
