const bucketsPerDoubling = 32;

/** Counts positive numbers in buckets, each about 2 % wider than the previous one. */
export class Histogram {
  readonly #buckets = new Uint32Array(64 * bucketsPerDoubling);
  #total = 0;

  add(value: number): void {
    const bucket = value < 1 ? 0 : Math.floor(Math.log2(value) * bucketsPerDoubling);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.#total++;
  }

  /** The middle of the bucket below which `share` (0…1) of the values lie; 0 if there are none. */
  percentile(share: number): number {
    let seen = 0;
    for (const [bucket, count] of this.#buckets.entries()) {
      seen += count;
      if (seen > this.#total * share) return 2 ** ((bucket + 0.5) / bucketsPerDoubling);
    }
    return 0;
  }
}
