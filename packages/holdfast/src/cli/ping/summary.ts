// What a run of pings comes to.

export interface PingSummary {
  readonly sent: number;
  readonly answered: number;
  /** Percent. */
  readonly loss: number;
  /** How often the connection was lost and opened again. */
  readonly reconnects: number;
  /** Milliseconds; null where none was answered. */
  readonly times: RoundTrips | null;
}

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

export function summarise(sent: number, roundTrips: readonly number[], reconnects = 0): PingSummary {
  const answered = roundTrips.length;
  const loss = sent === 0 ? 0 : ((sent - answered) / sent) * 100;
  return { sent, answered, loss, reconnects, times: answered === 0 ? null : roundTripsOf(roundTrips) };
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

export function summaryLines(
  url: string,
  { sent, answered, loss, reconnects, times }: PingSummary,
): string[] {
  const counts = [
    `${counted(sent, "ping")} sent`,
    `${answered} answered`,
    `${percent(loss)} % lost`,
    ...(reconnects === 0 ? [] : [counted(reconnects, "reconnect")]),
  ];
  const lines = [`--- ${url} ---`, counts.join(", ")];
  if (times === null) return lines;
  const { min, avg, max, jitter, p50, p95, p99 } = times;
  return [
    ...lines,
    `min/avg/max/jitter = ${[min, avg, max, jitter].map(milliseconds).join("/")} ms`,
    `p50/p95/p99 = ${[p50, p95, p99].map(milliseconds).join("/")} ms`,
  ];
}

/** Three digits that count: 0.123, 1.23, 12.3, 123, as ping(8) has them. */
export function milliseconds(value: number): string {
  return value.toFixed(value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0);
}

function counted(count: number, what: string): string {
  return `${count} ${count === 1 ? what : `${what}s`}`;
}

function percent(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

function mean(samples: readonly number[]): number {
  return samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
}

/** Nearest rank: the smallest sample that `percent` of all are not above. */
function percentile(sorted: Float64Array, rank: number): number {
  return sorted[Math.ceil((rank / 100) * sorted.length) - 1];
}
