// How wide the clients of a server are to spread when they lose it and reconnect: by the number of its connections, so
// that a lone client is back at once and ten thousand do not fell the server that returns.

/** Clients that may reconnect in a second. */
const RATE = 5_000;

/** Milliseconds. Nobody notices a wait that is shorter. */
const SHORTEST = 100;

/** The width changes when the number has doubled, or fallen to a quarter: a client is told seldom. */
export class SpreadWidth {
  /** The width is enough for so many connections. */
  #capacity = 0;
  #isFrozen = false;

  /** Milliseconds for a server that has so many connections. */
  of(connections: number): number {
    const isMany = connections > this.#capacity;
    const isFew = connections < this.#capacity / 8;
    if (!this.#isFrozen && (isMany || isFew)) this.#capacity = 2 * Math.max(1, connections);
    return Math.max(SHORTEST, Math.ceil((this.#capacity / RATE) * 1_000));
  }

  /** The server closes: the width stays what it is, however few connections are left. */
  freeze(): void {
    this.#isFrozen = true;
  }
}
