// When keepalive pings are due: on a fixed grid from the opening on, so that the rate does not drift and the pings
// of many connections stay spread as their openings were.

export class PingGrid {
  readonly #origin: number;
  readonly #interval: number;
  #nextAt: number;

  constructor(origin: number, interval: number) {
    this.#origin = origin;
    this.#interval = interval;
    this.#nextAt = origin + interval;
  }

  get nextAt(): number {
    return this.#nextAt;
  }

  isDue(now: number): boolean {
    return this.#nextAt <= now;
  }

  /** Goes on to the first slot after `now`: slots that were missed are skipped, never made up for. */
  advance(now: number): void {
    const slot = Math.floor((now - this.#origin) / this.#interval) + 1;
    const next = this.#origin + slot * this.#interval;
    this.#nextAt = next > now ? next : next + this.#interval; // A quotient may round down to the slot before.
  }
}
