// What goes on for long is told once: a flood must not become a flood of the log.

export class Episode {
  #lastAt = -Infinity;

  /** Notes that a limit is exceeded. Returns whether that is news, after a time in which it was not. */
  begins(now: number): boolean {
    const isNew = this.isOver(now);
    this.#lastAt = now;
    return isNew;
  }

  isOver(now: number): boolean {
    return now - this.#lastAt > QUIET;
  }
}

/** Milliseconds within a limit that end an episode. */
const QUIET = 10_000;
