// Statistics of round-trip times: totals over the whole connection, percentiles over the newest samples.

import { nextDeviation, nextSmoothed } from "./smoothing.js";

/** Round-trip times in milliseconds; null before the first sample. */
export interface LatencyStats {
  /** The newest sample. */
  readonly last: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** Arithmetic mean of all samples. */
  readonly mean: number | null;
  /** Smoothed round trip: each sample weighs 1/8 (SRTT of RFC 6298 section 2). */
  readonly smoothed: number | null;
  /** Smoothed deviation from `smoothed`: each sample weighs 1/4 (RTTVAR of RFC 6298 section 2). */
  readonly jitter: number | null;
  /** Nearest-rank percentiles of the newest 128 samples. */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  /** Pings handed to the socket. */
  readonly sent: number;
  /** Pings that were answered by their own pong or by that of a later ping. */
  readonly answered: number;
  /** Pings without an answer: abandoned after they were sent, expired, or in flight when the connection ended. */
  readonly lost: number;
}

export class LatencyStatistics {
  sent = 0;
  answered = 0;
  lost = 0;
  /** NaN before the first sample: V8 updates a number in place, but allocates one for each change of a field that may be null. */
  #last = NaN;
  /** Created with the second sample: most connections are short or rarely pinged, and there are many of them. */
  #series: SampleSeries | null = null;

  /** The newest round trip; null before the first. */
  get last(): number | null {
    return Number.isNaN(this.#last) ? null : this.#last;
  }

  get smoothed(): number | null {
    return this.#series === null ? this.last : this.#series.smoothed;
  }

  /** As in `snapshot()`, which costs more. */
  get jitter(): number | null {
    if (this.#series !== null) return this.#series.jitter;
    return this.last === null ? null : this.#last / 2; // RFC 6298 section 2.2.
  }

  /** The newest samples, at most `count`, the oldest of them first. */
  newest(count: number): readonly number[] {
    if (this.#series !== null) return this.#series.newest(count);
    return this.last === null ? [] : [this.#last];
  }

  add(sample: number): void {
    if (!Number.isNaN(this.#last)) {
      this.#series ??= new SampleSeries(this.#last);
      this.#series.add(sample);
    }
    this.#last = sample;
  }

  snapshot(): LatencyStats {
    const { last, sent, answered, lost } = this;
    if (this.#series !== null) return { last, ...this.#series.snapshot(), sent, answered, lost };
    // Every connection takes a snapshot when it ends, most of them with one sample or none. Writing the fields out takes
    // a tenth of the time of spreading objects.
    return {
      last,
      min: last,
      max: last,
      mean: last,
      smoothed: last,
      jitter: this.jitter,
      p50: last,
      p95: last,
      p99: last,
      sent,
      answered,
      lost,
    };
  }
}

const WINDOW = 128;

class SampleSeries {
  /** A ring of the newest samples. */
  readonly #ring: number[];
  #count = 1;
  #min: number;
  #max: number;
  #sum: number;
  #smoothed: number;
  #jitter: number;

  constructor(first: number) {
    this.#ring = [first];
    this.#min = first;
    this.#max = first;
    this.#sum = first;
    // RFC 6298 section 2.2.
    this.#smoothed = first;
    this.#jitter = first / 2;
  }

  get smoothed(): number {
    return this.#smoothed;
  }

  get jitter(): number {
    return this.#jitter;
  }

  newest(count: number): readonly number[] {
    const length = Math.min(count, this.#ring.length);
    return Array.from({ length }, (_, index) => this.#ring[(this.#count - length + index) % WINDOW]);
  }

  add(sample: number): void {
    this.#jitter = nextDeviation(this.#jitter, this.#smoothed, sample);
    this.#smoothed = nextSmoothed(this.#smoothed, sample);
    this.#min = Math.min(this.#min, sample);
    this.#max = Math.max(this.#max, sample);
    this.#sum += sample;
    this.#ring[this.#count % WINDOW] = sample;
    this.#count++;
  }

  snapshot(): Omit<LatencyStats, "last" | "sent" | "answered" | "lost"> {
    const newest = Float64Array.from(this.#ring).sort();
    return {
      min: this.#min,
      max: this.#max,
      mean: this.#sum / this.#count,
      smoothed: this.#smoothed,
      jitter: this.#jitter,
      p50: percentile(newest, 50),
      p95: percentile(newest, 95),
      p99: percentile(newest, 99),
    };
  }
}

/** Nearest rank: the smallest sample that at least `percent` of all samples do not exceed. */
function percentile(sorted: Float64Array, percent: number): number {
  return sorted[Math.ceil((percent / 100) * sorted.length) - 1];
}
