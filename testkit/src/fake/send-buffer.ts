import { concatBytes } from "../../../packages/holdfast/build/testing/bytes.js";

/** The sending side of a fake socket: a kernel with a limited capacity, and the bytes that wait for it. */
export class SendBuffer {
  #taken: Uint8Array[] = [];
  #waiting: Uint8Array[] = [];
  #capacity: number;
  #room: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#room = capacity;
  }

  /** Bytes that the kernel has not accepted. */
  get length(): number {
    return this.#waiting.reduce((length, chunk) => length + chunk.length, 0);
  }

  /** Everything that the kernel has accepted. */
  get taken(): Uint8Array<ArrayBuffer> {
    return concatBytes(this.#taken);
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    const fitting = this.#waiting.length > 0 ? 0 : Math.min(this.#room, chunk.length);
    this.#take(chunk.subarray(0, fitting));
    this.#room -= fitting;
    // Do not copy: a writer that changes memory before the kernel has accepted it must cause a visible error.
    if (fitting < chunk.length) this.#waiting.push(chunk.subarray(fitting));
  }

  /** The peer reads this many bytes, so that the kernel accepts as many more. */
  drain(bytes: number): void {
    let left = bytes;
    for (let chunk = this.#waiting[0]; chunk !== undefined && left > 0; chunk = this.#waiting[0]) {
      const fitting = Math.min(left, chunk.length);
      this.#take(chunk.subarray(0, fitting));
      left -= fitting;
      if (fitting < chunk.length) this.#waiting[0] = chunk.subarray(fitting);
      else this.#waiting.shift();
    }
    this.#room = Math.min(this.#capacity, this.#room + left);
  }

  /** Drops the record of what the kernel has accepted, which otherwise grows with every write. */
  forgetTaken(): void {
    this.#taken = [];
  }

  setCapacity(bytes: number): void {
    this.#capacity = bytes;
    this.#room = bytes;
  }

  clear(): void {
    this.#waiting = [];
  }

  #take(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#taken.push(Uint8Array.from(chunk));
  }
}
