// When a connection stops reading, and when it goes on: once all that it stopped for is out of the way.

import type { Pulse } from "./pulse.js";
import type { Wire } from "./wire.js";

/** Unread messages, unread pieces of a message, a message that is still being decoded, or a peer that sends too fast. */
export type Obstacle = "decoding" | "inbox" | "rate" | "stream";

export class Reading {
  readonly #wire: Wire;
  readonly #pulse: Pulse;
  readonly #obstacles = new Set<Obstacle>();

  constructor(wire: Wire, pulse: Pulse) {
    this.#wire = wire;
    this.#pulse = pulse;
  }

  stop(obstacle: Obstacle): void {
    this.#obstacles.add(obstacle);
    if (this.#wire.pause()) this.#pulse.pauseReading();
  }

  isStoppedBy(obstacle: Obstacle): boolean {
    return this.#obstacles.has(obstacle);
  }

  /** Changes nothing where reading had not stopped for it. */
  goOn(obstacle: Obstacle): void {
    if (!this.#obstacles.delete(obstacle) || this.#obstacles.size > 0) return;
    this.#wire.resume();
    // What the wire had held back may have been too much at once.
    if (this.#obstacles.size === 0) this.#pulse.resumeReading();
  }
}
