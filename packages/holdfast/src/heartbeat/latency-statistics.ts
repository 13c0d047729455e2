// Statistics of round-trip times: exact ones over the connection's life, percentiles over the newest samples.

/** Round-trip times in milliseconds; null before the first sample. */
export interface LatencyStats {
  /** The newest. */
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
  /** Pings that a pong answered, their own or that of a later ping. */
  readonly answered: number;
  /** Pings given up: abandoned by the application, or in flight when the connection ended. */
  readonly lost: number;
}

const WINDOW = 128;
const NO_SAMPLES: number[] = [];

export class LatencyStatistics {
  sent = 0;
  answered = 0;
  lost = 0;
  #count = 0;
  #last = 0;
  #min = Infinity;
  #max = 0;
  #sum = 0;
  #smoothed = 0;
  #jitter = 0;
  /** A ring of the newest samples, from the second one on: most connections are short or rarely pinged. */
  #ring = NO_SAMPLES;

  /** The newest round trip; null before the first. */
  get last(): number | null {
    return this.#count === 0 ? null : this.#last;
  }

  get smoothed(): number | null {
    return this.#count === 0 ? null : this.#smoothed;
  }

  add(sample: number): void {
    if (this.#count === 0) {
      this.#smoothed = sample;
      this.#jitter = sample / 2;
    } else {
      // RFC 6298 section 2.3: the deviation first, from the old mean.
      this.#jitter = 0.75 * this.#jitter + 0.25 * Math.abs(this.#smoothed - sample);
      this.#smoothed = 0.875 * this.#smoothed + 0.125 * sample;
    }
    if (this.#count === 1) this.#ring = [this.#last];
    if (this.#count > 0) this.#ring[this.#count % WINDOW] = sample;
    this.#last = sample;
    this.#min = Math.min(this.#min, sample);
    this.#max = Math.max(this.#max, sample);
    this.#sum += sample;
    this.#count++;
  }

  snapshot(): LatencyStats {
    const { sent, answered, lost } = this;
    if (this.#count === 0) {
      const none = { last: null, min: null, max: null, mean: null, smoothed: null, jitter: null };
      return { ...none, p50: null, p95: null, p99: null, sent, answered, lost };
    }
    const newest = Float64Array.from(this.#count === 1 ? [this.#last] : this.#ring).sort();
    return {
      last: this.#last,
      min: this.#min,
      max: this.#max,
      mean: this.#sum / this.#count,
      smoothed: this.#smoothed,
      jitter: this.#jitter,
      p50: percentile(newest, 50),
      p95: percentile(newest, 95),
      p99: percentile(newest, 99),
      sent,
      answered,
      lost,
    };
  }

}

/** Nearest rank: the smallest sample that `percent` of all are not above. */
function percentile(sorted: Float64Array, percent: number): number {
  return sorted[Math.ceil((percent / 100) * sorted.length) - 1];
}
