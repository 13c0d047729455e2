// Detects gaps in which our own process did not run: a blocked event loop, a stopped process, a sleeping machine.
// Such time must not count against a peer.

export class GapDetector {
  /** When our process last ran, as far as known; in whole milliseconds, since V8 allocates an object for a fraction. */
  #ranAt = 0;
  /** How far the wall clock was ahead of monotonic time. */
  #wallAhead = 0;
  #longest = 0;

  /** The longest gap so far, in milliseconds. */
  get longest(): number {
    return this.#longest;
  }

  start(now: number, wallNow: number): void {
    this.ran(now);
    this.#wallAhead = wallNow - now;
  }

  ran(now: number): void {
    this.#ranAt = Math.ceil(now);
  }

  /** How many milliseconds late we run, counted from `expectedAt`; 0 if that is less than `threshold`. */
  stallSince(expectedAt: number | null, now: number, threshold: number): number {
    return expectedAt === null ? 0 : this.note(now - Math.max(expectedAt, this.#ranAt), threshold);
  }

  /** As `stallSince`, for a sleeping machine whose monotonic clock stopped too: only the wall clock shows the gap. */
  suspensionUntil(now: number, wallNow: number, threshold: number): number {
    const before = this.#wallAhead;
    this.#wallAhead = wallNow - now;
    return this.note(this.#wallAhead - before, threshold);
  }

  /** Our own process did not run for `gap` milliseconds; 0 if that is less than `threshold`. */
  note(gap: number, threshold: number): number {
    if (gap < threshold) return 0;
    this.#longest = Math.max(this.#longest, gap);
    return gap;
  }
}
