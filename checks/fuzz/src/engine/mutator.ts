// Creates new inputs from old ones, as libFuzzer and AFL do.

import type { Random } from "./random.js";

/** Lengths and limits of the formats, where bugs are likely. */
const INTERESTING = [
  0, 1, 9, 10, 13, 32, 34, 44, 58, 59, 61, 92, 125, 126, 127, 128, 129, 136, 137, 192, 254, 255,
];
const MAX_LENGTH = 4096;

export class Mutator {
  readonly #random: Random;
  readonly #dictionary: readonly Uint8Array[];

  /** @param dictionary tokens of the format, which random changes would hardly ever produce */
  constructor(random: Random, dictionary: readonly Uint8Array[]) {
    this.#random = random;
    this.#dictionary = dictionary;
  }

  /** Applies a few changes to `input`, some of which insert pieces of `other`. */
  mutate(input: Uint8Array, other: Uint8Array): Uint8Array {
    let bytes: Uint8Array = Buffer.from(input);
    const changes = 1 << this.#random.below(5);
    for (let change = 0; change < changes; change++) bytes = this.#change(bytes, other);
    return bytes.subarray(0, MAX_LENGTH);
  }

  #change(bytes: Uint8Array, other: Uint8Array): Uint8Array {
    const random = this.#random;
    const at = random.below(bytes.length + 1);
    switch (random.below(9)) {
      case 0:
        return this.#replaced(bytes, at, 1, [random.below(256)]);
      case 1:
        return this.#replaced(bytes, at, 1, [random.of(INTERESTING)]);
      case 2:
        return this.#replaced(bytes, at, 1, [(bytes[at] ?? 0) ^ (1 << random.below(8))]);
      case 3:
        return this.#replaced(bytes, at, 0, Array(this.#length()).fill(random.of(INTERESTING)) as number[]);
      case 4:
        return this.#replaced(bytes, at, this.#length(), []);
      case 5:
        return this.#replaced(bytes, at, 0, this.#piece(bytes));
      case 6:
        return this.#replaced(bytes, at, this.#length(), this.#piece(other));
      default: {
        if (this.#dictionary.length === 0) return bytes;
        const word = random.of(this.#dictionary);
        return this.#replaced(bytes, at, random.below(2) * word.length, word);
      }
    }
  }

  #replaced(bytes: Uint8Array, at: number, count: number, by: ArrayLike<number>): Uint8Array {
    return Buffer.concat([bytes.subarray(0, at), Uint8Array.from(by), bytes.subarray(at + count)]);
  }

  #piece(bytes: Uint8Array): Uint8Array {
    const start = this.#random.below(bytes.length + 1);
    return bytes.subarray(start, start + this.#length());
  }

  /** Mostly short; sometimes longer than 125 and 127. */
  #length(): number {
    return 1 + this.#random.below(1 << this.#random.below(9));
  }
}
