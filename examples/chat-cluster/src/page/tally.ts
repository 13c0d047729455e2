// Counts what has arrived, and checks the numbers of the robots: each has to be 1 more than the one before.

import type { Post } from "../protocol.js";

export class Tally {
  received = 0;
  missing = 0;
  repeated = 0;
  gaps = 0;
  /** The newest number of each robot in each room. */
  readonly #newest = new Map<string, number>();

  add({ id, number }: Post): void {
    this.received++;
    if (number === undefined) return;
    const counter = id.slice(0, id.lastIndexOf(" ")); // The run, the robot and the room.
    const expected = (this.#newest.get(counter) ?? number - 1) + 1;
    this.missing += Math.max(0, number - expected);
    if (number < expected) this.repeated++;
    else this.#newest.set(counter, number);
  }
}
