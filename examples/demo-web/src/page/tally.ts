// Counts the numbers of the stream that one client has received, those that may still arrive, and those that never will.

/** `received`, `toCome` and `missed` add up to the numbers that the server has sent. */
export interface Figures {
  readonly received: number;
  readonly toCome: number;
  readonly missed: number;
  readonly repeated: number;
}

export class Tally {
  /** The newest received number; null before the first. */
  newest: number | null = null;
  /** The first number that counts; null until `begin()`. */
  #first: number | null = null;
  /** The newest number that was sent while the client had no connection. */
  #lost = 0;
  #received = 0;
  #gaps = 0;
  #repeated = 0;

  /** Counts the numbers from `first` on. */
  begin(first: number): void {
    this.#first = first;
    this.newest = first - 1;
  }

  add(number: number): void {
    if (this.#first === null || this.newest === null) {
      this.newest = number;
      return;
    }
    if (number < this.#first) return;
    if (number <= this.newest) {
      this.#repeated++;
      return;
    }
    this.#received++;
    this.#gaps += number - this.newest - 1;
    this.newest = number;
  }

  /** The client has no connection, and nobody keeps for it what was sent until this number. */
  lose(sent: number): void {
    this.#lost = sent;
  }

  /** @param sent the newest number that was sent; null before `begin()` */
  figures(sent: number): Figures | null {
    if (this.#first === null || this.newest === null) return null;
    return {
      received: this.#received,
      toCome: Math.max(0, sent - Math.max(this.newest, this.#lost)),
      missed: this.#gaps + Math.max(0, this.#lost - this.newest),
      repeated: this.#repeated,
    };
  }
}
