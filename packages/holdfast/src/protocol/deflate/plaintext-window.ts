// The plaintext that a compressor may refer back to: the newest 2^bits bytes in one direction.
//
// Node has no supported way to drive a zlib stream synchronously from message to message, and its asynchronous streams
// take some 300 KiB per connection. But this window is all that a stream remembers between messages. A fresh stream with
// the window as its dictionary produces the same bytes (RFC 7692 section 7.2.3.2).

const SMALLEST = 512;
const NOTHING = Buffer.alloc(0);

export class PlaintextWindow {
  readonly #size: number;
  #bytes = NOTHING;
  #length = 0;
  /** The number of the last message that was compressed with it, counted over all connections; see `LiveCalls`. */
  lastUse = 0;

  /** @param bits 8 to 15 */
  constructor(bits: number) {
    this.#size = 2 ** bits;
  }

  /** The dictionary for the next message; empty before the first. Valid until the next `push`. */
  get dictionary(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Adds a message to the window. */
  push(plaintext: Uint8Array): void {
    const surplus = plaintext.length - this.#size;
    const newest = surplus > 0 ? plaintext.subarray(surplus) : plaintext;
    const kept = Math.min(this.#length, this.#size - newest.length);
    this.#reserve(kept + newest.length);
    this.#bytes.copyWithin(0, this.#length - kept, this.#length);
    this.#bytes.set(newest, kept);
    this.#length = kept + newest.length;
  }

  /** Grows the memory as needed: a connection with few small messages never needs the whole window. */
  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(
      Math.min(this.#size, Math.max(SMALLEST, length, 2 * this.#bytes.length)),
    );
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
