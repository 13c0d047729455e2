// Where a message is put together that arrives in pieces: one growing block instead of a list, so that a
// thousand one-byte fragments cost no more than a thousand bytes.

import { copyUnmasked } from "../frame/masking.js";

const SMALLEST = 256;
/** An announced length is believed up to so many times what has arrived: a claim alone reserves nothing. */
const TRUST = 64;
const EMPTY = Buffer.alloc(0);

export class MessageBuffer {
  readonly #limit: number;
  #bytes: Buffer = EMPTY;
  #length = 0;

  /** @param limit bytes that will never be exceeded: no room is made beyond them */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Returns whether the bytes are known to be ASCII.
   * @param announced bytes that are to come with these, which saves growing step by step
   * @param key unmasks them on the way; 0 for none
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

  /** The last `length` bytes, where they lie for now. */
  newest(length: number): Uint8Array {
    return this.#bytes.subarray(this.#length - length, this.#length);
  }

  /** The message, which the caller owns from now on; the buffer is empty again. */
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
