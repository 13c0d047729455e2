// Computes the time over which clients spread their reconnections after they lose the server. It grows with the number
// of connections: a lone client reconnects at once, and ten thousand clients do not overload a server that restarts.

/** Clients that may reconnect per second. */
const RECONNECTIONS_PER_SECOND = 5_000;

/** In milliseconds. A shorter wait is imperceptible. */
const MIN_WIDTH = 100;

/**
 * The width changes only when the number of connections has doubled, or has fallen to a quarter, so that the server
 * rarely sends an update to its clients.
 */
export class SpreadWidth {
  /** The number of connections that the current width allows for. */
  #capacity = 0;
  #isFrozen = false;

  /** Returns the width in milliseconds for this number of connections. */
  of(connections: number): number {
    const hasGrown = connections > this.#capacity;
    const hasShrunk = connections < this.#capacity / 8;
    if (!this.#isFrozen && (hasGrown || hasShrunk)) this.#capacity = 2 * Math.max(1, connections);
    return Math.max(MIN_WIDTH, Math.ceil((this.#capacity / RECONNECTIONS_PER_SECOND) * 1_000));
  }

  /** Keeps the current width while the server closes, although the number of connections falls. */
  freeze(): void {
    this.#isFrozen = true;
  }
}
