// Takes values from the front of a fuzzer's input; the rest is the text or the bytes under test.

export class Input {
  #rest: Uint8Array;

  constructor(data: Uint8Array) {
    this.#rest = data;
  }

  /** The next byte; 0 if there is none. */
  byte(): number {
    const [first = 0] = this.#rest;
    this.#rest = this.#rest.subarray(1);
    return first;
  }

  /** A copy of the remaining bytes. */
  bytes(): Buffer {
    return Buffer.from(this.#rest);
  }

  /** The remaining bytes, one character per byte. */
  text(): string {
    return Buffer.from(this.#rest).toString("latin1");
  }
}

/** Splits the bytes into pieces of pseudo-random lengths derived from `seed`. */
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
