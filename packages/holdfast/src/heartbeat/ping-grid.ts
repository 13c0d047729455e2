// The schedule of keepalive pings: a fixed grid that starts when the connection opens. The rate does not drift, and the
// pings of many connections stay as spread out as their openings were.

export class PingGrid {
  readonly #origin: number;
  readonly #interval: number;
  #nextSlot: number;

  constructor(origin: number, interval: number, firstSlot = 1) {
    this.#origin = origin;
    this.#interval = interval;
    this.#nextSlot = firstSlot;
  }

  get nextAt(): number {
    return this.#origin + this.#nextSlot * this.#interval;
  }

  isDue(now: number): boolean {
    return this.nextAt <= now;
  }

  /** Moves to the first slot after `now`, or by `slots`. Missed slots are skipped, never made up for. */
  advance(now: number, slots = 1): void {
    // Count slots: a quotient of times may round down to the previous slot, which would then be used twice.
    this.#nextSlot = Math.max(this.#nextSlot + slots, Math.floor((now - this.#origin) / this.#interval));
    while (this.isDue(now)) this.#nextSlot++;
  }

  /** Moves the next ping to the first slot after `now`, if it is later. */
  hurry(now: number): void {
    const slot = Math.floor((now - this.#origin) / this.#interval) + 1;
    if (slot < this.#nextSlot) this.#nextSlot = slot;
  }
}
