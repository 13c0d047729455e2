// Memory for frames that many connections send. Frames of one turn of the event loop are adjacent, so that a connection
// that sends all of them writes one piece of memory instead of many.

import type { Clock } from "../../connection/ports.js";

/** A piece of memory is at most this large; further frames go to another one. */
const LARGEST_PIECE = 64 * 1024;
const NOTHING = Buffer.alloc(0);

export class Arena {
  readonly #clock: Clock;
  #bytes = NOTHING;
  #position = 0;
  #usedThisTurn = 0;
  /** The size that the last turn with frames needed, as the estimate for this one. */
  #usedBefore = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Memory of exactly `size` bytes, directly after the last piece of this turn if there is room. */
  take(size: number): Buffer {
    if (this.#position + size > this.#bytes.length) this.#grow(size);
    if (this.#usedThisTurn === 0) this.#clock.atTurnEnd(this.#endTurn);
    this.#usedThisTurn += size;
    const start = this.#position;
    this.#position += size;
    return this.#bytes.subarray(start, this.#position);
  }

  #grow(size: number): void {
    const guess = Math.max(this.#usedBefore - this.#usedThisTurn, this.#usedThisTurn);
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(size, Math.min(guess, LARGEST_PIECE)));
    this.#position = 0;
  }

  /** The memory belongs to the frames now; the next turn allocates its own. */
  readonly #endTurn = (): void => {
    this.#usedBefore = this.#usedThisTurn;
    this.#usedThisTurn = 0;
    this.#bytes = NOTHING;
    this.#position = 0;
  };
}
