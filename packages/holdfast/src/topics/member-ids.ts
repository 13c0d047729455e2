// The ids of members. Several `createTopics()` may share an engine, and a connection may be a member by each of them.

import type { Engine } from "./engine/engine.js";

/** The numbers in use, by engine. */
const numbers = new WeakMap<Engine, Set<number>>();

export class MemberIds {
  readonly #taken: Set<number>;
  readonly #number: number;

  constructor(engine: Engine) {
    const taken = numbers.get(engine) ?? new Set();
    numbers.set(engine, taken);
    let number = 1;
    while (taken.has(number)) number++;
    taken.add(number);
    this.#taken = taken;
    this.#number = number;
  }

  /** The id of the connection itself, with a suffix for further topics of the engine. */
  of(connection: string): string {
    return this.#number === 1 ? connection : `${connection}#${this.#number}`;
  }

  release(): void {
    this.#taken.delete(this.#number);
  }
}
