// When keepalive pings are due: on a fixed grid from the opening on, so that the rate does not drift and the pings
// of many connections stay spread as their openings were.

export class PingGrid {
  readonly #interval: number;
  #nextAt: number;

  constructor(origin: number, interval: number) {
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
    const missed = Math.max(0, Math.floor((now - this.#nextAt) / this.#interval));
    this.#nextAt += (missed + 1) * this.#interval;
    if (this.#nextAt <= now) this.#nextAt += this.#interval; // A quotient may round down to the slot before.
  }
}
