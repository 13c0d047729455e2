// When keepalive pings are due: on a fixed grid from the opening on, so that the rate does not drift and the pings
// of many connections stay spread as their openings were.

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

  /** Goes on to the first slot after `now`: slots that were missed are skipped, never made up for. */
  advance(now: number): void {
    // Slots are counted, since a quotient of times may be rounded to the slot before, which would be given twice.
    this.#nextSlot = Math.max(this.#nextSlot + 1, Math.floor((now - this.#origin) / this.#interval));
    while (this.isDue(now)) this.#nextSlot++;
  }
}
