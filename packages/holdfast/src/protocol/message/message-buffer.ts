// Where a message is put together that arrives in pieces: one growing block instead of a list, so that a
// thousand one-byte fragments cost no more than a thousand bytes.

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

  /** @param announced bytes that are to come with these, which saves growing step by step */
  append(chunk: Buffer, start: number, end: number, announced = 0): void {
    const length = this.#length + end - start;
    if (length > this.#bytes.length) {
      const ahead = Math.min(this.#length + announced, length * TRUST);
      this.#grow(Math.min(this.#limit, Math.max(length, ahead, this.#bytes.length * 2, SMALLEST)));
    }
    chunk.copy(this.#bytes, this.#length, start, end);
    this.#length = length;
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
