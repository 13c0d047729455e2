// A queue of numbers in a ring buffer, which grows on demand and never shrinks.

export class Ring {
  #slots = new Float64Array(16);
  #first = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#slots.length) this.#grow();
    this.#slots[(this.#first + this.#length) % this.#slots.length] = value;
    this.#length++;
  }

  /** The oldest number; NaN if empty. */
  shift(): number {
    if (this.#length === 0) return NaN;
    const value = this.#slots[this.#first];
    this.#first = (this.#first + 1) % this.#slots.length;
    this.#length--;
    return value;
  }

  #grow(): void {
    const larger = new Float64Array(this.#slots.length * 2);
    larger.set(this.#slots.subarray(this.#first));
    larger.set(this.#slots.subarray(0, this.#first), this.#slots.length - this.#first);
    this.#slots = larger;
    this.#first = 0;
  }
}
