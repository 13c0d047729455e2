// Where a message is put together that arrives in pieces: one growing block instead of a list, so that a
// thousand one-byte fragments cost no more than a thousand bytes.

/** What a claimed length may reserve before its bytes arrive. */
const MAX_AHEAD = 1024 * 1024;
const SMALLEST = 256;
const EMPTY = Buffer.alloc(0);

export class MessageBuffer {
  #bytes: Buffer = EMPTY;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Makes room for `more` bytes that were announced, as far as an announcement is believed. */
  expect(more: number): void {
    const wanted = this.#length + Math.min(more, MAX_AHEAD);
    if (wanted > this.#bytes.length)
      this.#grow(this.#length === 0 ? wanted : Math.max(wanted, this.#length * 2));
  }

  append(chunk: Buffer, start: number, end: number): void {
    const length = this.#length + end - start;
    if (length > this.#bytes.length) this.#grow(Math.max(length, this.#bytes.length * 2, SMALLEST));
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
