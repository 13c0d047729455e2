// The time that one turn of the event loop may spend in sending. A socket that accepts everything at once never makes a
// loop of awaited sends wait, and promises alone let no timer fire and no byte arrive. So a send that uses up the turn's
// time resolves in the next turn.

import { Deferred } from "../../shared/deferred.js";
import type { Clock } from "../../connection/ports.js";

/** Milliseconds of one turn of the event loop that sends, or the received bytes of one connection, may take. */
export const TIME_PER_TURN = 8;
/** The first half passes before the end of the turn is observed. */
const HALF = TIME_PER_TURN / 2;

/** The weight of what is sent between two looks at the clock. */
const LOOK_AT = 8192;
/** The weight of an empty message, and how many bytes weigh one more: a look is due at least after 128 messages. */
const MESSAGE = 64;
const BYTES_SHIFT = 3;

/** One for all connections of a process, since they share its turns. */
export class TurnBudget {
  readonly #clock: Clock;
  #weight = 0;
  /** When this turn began, or a time before that. */
  #began: number;
  /** Whether the beginning of the next turn will be reported. */
  #isWatching = false;
  /** Resolves in the next turn; null while there is time left. */
  #rest: Deferred | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#began = clock.now();
  }

  /** A message of `size` bytes was sent: returns what its sender should wait for, or null if there is time left. */
  spend(size: number): Promise<void> | null {
    this.#weight += MESSAGE + (size >>> BYTES_SHIFT);
    return this.#weight < LOOK_AT ? null : this.#look();
  }

  #look(): Promise<void> | null {
    if (this.#rest !== null) return this.#rest.promise;
    this.#weight = 0;
    const now = this.#clock.now();
    if (now - this.#began < HALF) return null;
    if (!this.#isWatching) {
      this.#isWatching = true;
      this.#began = now;
      this.#clock.afterPoll(this.#onNextTurn);
      return null;
    }
    this.#weight = LOOK_AT; // Every later message of this turn comes here.
    this.#rest = new Deferred();
    return this.#rest.promise;
  }

  readonly #onNextTurn = (): void => {
    const rest = this.#rest;
    this.#rest = null;
    this.#weight = 0;
    this.#isWatching = false;
    this.#began = this.#clock.now();
    rest?.resolve();
  };
}
