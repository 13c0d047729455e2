/** Takes masking keys from a pool of random bytes: a system call per key would cost a hundred times as much. */
export class MaskKeys {
  readonly #fill: (target: Uint8Array) => void;
  readonly #pool = new Uint8Array(8192);
  readonly #words = new DataView(this.#pool.buffer);
  #at = this.#pool.length;

  /** @param fill fills the whole target with unpredictable bytes (RFC 6455 section 10.3) */
  constructor(fill: (target: Uint8Array) => void) {
    this.#fill = fill;
  }

  next(): number {
    if (this.#at === this.#pool.length) {
      this.#fill(this.#pool);
      this.#at = 0;
    }
    const key = this.#words.getUint32(this.#at, true);
    this.#at += 4;
    return key;
  }
}
