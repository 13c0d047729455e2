// A histogram of durations in bounded memory: linear up to 256 µs, then 128 steps per doubling, which keeps percentiles
// accurate to within 1 %.

/** Microseconds per millisecond. The slots count microseconds, the precision of clocks. */
const SCALE = 1000;
const LINEAR = 256;
const STEPS = 128;
/** Up to 2^36 µs, nineteen hours. */
const DOUBLINGS = 28;

export class Histogram {
  readonly #counts = new Float64Array(LINEAR + DOUBLINGS * STEPS);
  #count = 0;
  #sum = 0;
  #min = Infinity;
  #max = 0;

  /** `duration` in milliseconds. */
  record(duration: number): void {
    this.#counts[slotOf(Math.round(duration * SCALE))]++;
    this.#count++;
    this.#sum += duration;
    if (duration < this.#min) this.#min = duration;
    if (duration > this.#max) this.#max = duration;
  }

  get count(): number {
    return this.#count;
  }

  /** The distribution of the recorded durations, in milliseconds; null if there are none. */
  get distribution(): Distribution | null {
    if (this.#count === 0) return null;
    return {
      min: this.#min,
      avg: this.#sum / this.#count,
      p50: this.#percentile(50),
      p90: this.#percentile(90),
      p99: this.#percentile(99),
      p999: this.#percentile(99.9),
      max: this.#max,
    };
  }

  /** Nearest rank, to the precision of a slot: the smallest duration such that `rank` percent are no larger. */
  #percentile(rank: number): number {
    let left = Math.ceil((rank / 100) * this.#count);
    const slot = this.#counts.findIndex((count) => (left -= count) <= 0);
    return Math.min(Math.max(middleOf(slot) / SCALE, this.#min), this.#max);
  }
}

/** Milliseconds. */
export interface Distribution {
  readonly min: number;
  readonly avg: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

function slotOf(value: number): number {
  if (value < LINEAR) return Math.max(value, 0);
  const doubling = Math.min(Math.floor(Math.log2(value)) - 8, DOUBLINGS - 1);
  const step = Math.min(Math.floor(value / 2 ** (doubling + 1)) - STEPS, STEPS - 1);
  return LINEAR + doubling * STEPS + Math.max(step, 0);
}

function middleOf(slot: number): number {
  if (slot < LINEAR) return slot;
  const doubling = Math.floor((slot - LINEAR) / STEPS);
  const width = 2 ** (doubling + 1);
  return (STEPS + ((slot - LINEAR) % STEPS)) * width + (width - 1) / 2;
}
