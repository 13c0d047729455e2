// Gaps in the life of our own process: a blocked event loop, a stopped process, a sleeping machine.
// Time in which we did not run must not count against a peer.

export class GapDetector {
  /** When our process is known to have run last. */
  #ranAt = -Infinity;
  /** How far the wall clock was ahead of monotonic time. */
  #wallAhead = 0;
  #longest = 0;

  /** The longest gap that was seen, in milliseconds. */
  get longest(): number {
    return this.#longest;
  }

  start(now: number, wallNow: number): void {
    this.#ranAt = now;
    this.#wallAhead = wallNow - now;
  }

  ran(now: number): void {
    this.#ranAt = now;
  }

  /** How long we did not run, seen from when we should have; 0 where that is less than `threshold`. */
  stallSince(expectedAt: number | null, now: number, threshold: number): number {
    return expectedAt === null ? 0 : this.#note(now - Math.max(expectedAt, this.#ranAt), threshold);
  }

  /** The same for a sleeping machine whose monotonic time slept as well: only the wall clock tells. */
  suspensionUntil(now: number, wallNow: number, threshold: number): number {
    const before = this.#wallAhead;
    this.#wallAhead = wallNow - now;
    return this.#note(this.#wallAhead - before, threshold);
  }

  #note(gap: number, threshold: number): number {
    if (gap < threshold) return 0;
    this.#longest = Math.max(this.#longest, gap);
    return gap;
  }
}
