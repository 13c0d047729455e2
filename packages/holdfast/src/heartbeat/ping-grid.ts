// The schedule of keepalive pings: a fixed grid that starts when the connection opens. The rate does not drift, and the
// pings of many connections stay as spread out as their openings were.

export class PingGrid {
  readonly #origin: number;
  readonly #interval: number;
  #nextSlot = 1;

  constructor(origin: number, interval: number) {
    this.#origin = origin;
    this.#interval = interval;
  }

  get nextAt(): number {
    return this.#origin + this.#nextSlot * this.#interval;
  }

  isDue(now: number): boolean {
    return this.nextAt <= now;
  }

  /** Moves to the first slot after `now`. Missed slots are skipped, never made up for. */
  advance(now: number): void {
    // Count slots: a quotient of times may round down to the previous slot, which would then be used twice.
    this.#nextSlot = Math.max(this.#nextSlot + 1, Math.floor((now - this.#origin) / this.#interval));
    while (this.isDue(now)) this.#nextSlot++;
  }
}
