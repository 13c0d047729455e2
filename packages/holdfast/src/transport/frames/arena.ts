// Memory for frames that many connections send. Those of one turn of the event loop stand side by side: a connection
// that sends all of them hands over one piece of memory instead of many.

import type { Clock } from "../../connection/ports.js";

/** Frames that would make one piece larger stand in another. */
const LARGEST_PIECE = 64 * 1024;
const NOTHING = Buffer.alloc(0);

export class Arena {
  readonly #clock: Clock;
  #bytes = NOTHING;
  #position = 0;
  #usedThisTurn = 0;
  /** What the last turn needed that needed something: the best guess for this one. */
  #usedBefore = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Memory of exactly `size` bytes, right behind the last of this turn where there is room. */
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

  /** The memory belongs to the frames now; the next turn has its own. */
  readonly #endTurn = (): void => {
    this.#usedBefore = this.#usedThisTurn;
    this.#usedThisTurn = 0;
    this.#bytes = NOTHING;
    this.#position = 0;
  };
}
