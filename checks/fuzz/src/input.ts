// Takes values off an input of the fuzzer, from its front; what is left is the text or the bytes under test.

export class Input {
  #rest: Uint8Array;

  constructor(data: Uint8Array) {
    this.#rest = data;
  }

  /** The next byte; 0 where there is none. */
  byte(): number {
    const [first = 0] = this.#rest;
    this.#rest = this.#rest.subarray(1);
    return first;
  }

  /** Everything that is left, as bytes of its own. */
  bytes(): Buffer {
    return Buffer.from(this.#rest);
  }

  /** Everything that is left, a character for each byte. */
  text(): string {
    return Buffer.from(this.#rest).toString("latin1");
  }
}

/** The bytes in pieces, whose lengths are a pseudo-random sequence that follows from `seed`. */
export function cut(bytes: Uint8Array, seed: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let state = seed + 1;
  for (let at = 0; at < bytes.length;) {
    state = (state * 48_271) % 0x7fff_ffff;
    const end = at + 1 + ((state >>> 8) % 7);
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}
