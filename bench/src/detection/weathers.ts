// The networks of the table: what is healthy, and must not be mistaken for a dead peer.

import type { SeededRandom } from "holdfast-testkit";
import type { Weather } from "./link.js";

const NEVER = () => false;
const NONE = () => 0;

export function clear(roundTrip = 50): Weather {
  return { name: "undisturbed", roundTrip, start: () => ({ isLost: NEVER, delay: NONE }) };
}

/** Each segment is lost with this probability, independently. */
export function loss(share = 0.05, roundTrip = 50): Weather {
  return {
    name: `${share * 100} % loss`,
    roundTrip,
    start: (random) => ({ isLost: () => random.number() < share, delay: NONE }),
  };
}

/** All segments are lost for 50 to 500 ms at a time, in this share of the time. */
export function bursts(share = 0.03, roundTrip = 50): Weather {
  const [shortest, longest] = [50, 500];
  const mean = (shortest + longest) / 2;
  return {
    name: `${share * 100} % bursts`,
    roundTrip,
    start: (random) => {
      const episodes = new Episodes(random, mean / share - mean, () => random.integer(shortest, longest));
      return { isLost: (at) => episodes.covers(at), delay: NONE };
    },
  };
}

/** Each segment is delayed by up to this many milliseconds, in each direction. */
export function jitter(most = 300, roundTrip = 50): Weather {
  return {
    name: `${most} ms jitter`,
    roundTrip,
    start: (random) => ({ isLost: NEVER, delay: () => most * random.number() }),
  };
}

/** About once in a minute a queue fills at once, which delays each segment by this much for 2 to 20 s, in one direction. */
export function bufferbloat(queue = 3_000, roundTrip = 50): Weather {
  let directions = 0;
  return {
    name: `${queue / 1_000} s bufferbloat`,
    roundTrip,
    start: (random) => {
      if (directions++ % 2 === 1) return { isLost: NEVER, delay: NONE };
      const episodes = new Episodes(random, 60_000, () => random.integer(2_000, 20_000));
      return { isLost: NEVER, delay: (at) => (episodes.covers(at) ? queue : 0) };
    },
  };
}

export const WEATHERS = [loss(), bursts(), jitter(), bufferbloat()] as const;

/** Episodes that begin at random, apart from each other by this many milliseconds on average. */
class Episodes {
  readonly #random: SeededRandom;
  readonly #apart: number;
  readonly #length: () => number;
  #episodes: { readonly from: number; readonly to: number }[] = [];
  #plannedUntil = 0;

  constructor(random: SeededRandom, apart: number, length: () => number) {
    this.#random = random;
    this.#apart = apart;
    this.#length = length;
  }

  covers(at: number): boolean {
    while (this.#plannedUntil <= at) {
      const from = this.#plannedUntil - this.#apart * Math.log(1 - this.#random.number());
      this.#plannedUntil = from + this.#length();
      this.#episodes.push({ from, to: this.#plannedUntil });
      // Retransmissions look up to a minute ahead.
      if (this.#episodes.length > 1_000)
        this.#episodes = this.#episodes.filter(({ to }) => to > at - 120_000);
    }
    return this.#episodes.some(({ from, to }) => from <= at && at < to);
  }
}
