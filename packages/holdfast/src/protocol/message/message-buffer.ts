// Assembles a message that arrives in pieces. It uses one growing block instead of a list, so that a thousand one-byte
// fragments cost no more memory than a thousand bytes.

import { copyUnmasked } from "../frame/masking.js";

const SMALLEST = 256;
/** Allocates for an announced length only up to this many times the bytes that arrived: a claim alone reserves nothing. */
const TRUST = 64;
const EMPTY = Buffer.alloc(0);

export class MessageBuffer {
  readonly #limit: number;
  #bytes: Buffer = EMPTY;
  #length = 0;

  /** @param limit the most bytes that will ever be appended; it never allocates more */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Appends `chunk[start, end)`. Returns whether the bytes are known to be ASCII.
   *
   * @param announced bytes that this call and the following ones will append together; saves growing step by step
   * @param key masking key to remove; 0 for none
   */
  append(chunk: Buffer, start: number, end: number, announced = 0, key = 0): boolean {
    const before = this.#length;
    const length = before + end - start;
    if (length > this.#bytes.length) {
      const ahead = Math.min(before + announced, length * TRUST);
      this.#grow(Math.min(this.#limit, Math.max(length, ahead, this.#bytes.length * 2, SMALLEST)));
    }
    this.#length = length;
    return copyUnmasked(chunk, start, end, key, this.#bytes, before);
  }

  /** A view of the last `length` bytes, valid until the next `append`. */
  newest(length: number): Uint8Array {
    return this.#bytes.subarray(this.#length - length, this.#length);
  }

  /** Returns the message, which the caller then owns, and empties the buffer. */
  take(): Buffer {
    const whole = this.#bytes.subarray(0, this.#length);
    this.#bytes = EMPTY;
    this.#length = 0;
    return whole;
  }

  #grow(size: number): void {
    const larger = Buffer.allocUnsafeSlow(size);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
