// Statistics of round-trip times, in milliseconds.

export interface RoundTrips {
  readonly min: number;
  readonly avg: number;
  readonly max: number;
  /** The mean difference between a round trip and the one before it. */
  readonly jitter: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export function roundTripsOf(samples: readonly number[]): RoundTrips {
  const sorted = Float64Array.from(samples).sort();
  const steps = samples.slice(1).map((sample, index) => Math.abs(sample - samples[index]));
  return {
    min: sorted[0],
    avg: mean(samples),
    max: sorted[sorted.length - 1],
    jitter: steps.length === 0 ? 0 : mean(steps),
    p50: percentile(sorted, 50),
    p95: percentile(sorted, 95),
    p99: percentile(sorted, 99),
  };
}

function mean(samples: readonly number[]): number {
  return samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
}

/** Nearest rank: the smallest sample such that `rank` percent of all samples are no larger. */
function percentile(sorted: Float64Array, rank: number): number {
  return sorted[Math.ceil((rank / 100) * sorted.length) - 1];
}
