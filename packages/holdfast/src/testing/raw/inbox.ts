// The received bytes of a scripted peer.

import { describeBytes } from "../bytes.js";
import { realNow, withTimeout } from "../with-timeout.js";

/** A value found at the start of the unread bytes, and its size in bytes. */
export interface Found<T> {
  readonly value: T;
  readonly length: number;
}

/** The bytes that a peer received, and the reads that wait for them. */
export class Inbox {
  #bytes = Buffer.alloc(4_096);
  #length = 0;
  #position = 0;
  #end: string | null = null;
  #waiters: (() => void)[] = [];

  /** Everything received so far, read or not. */
  get received(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes.subarray(0, this.#length));
  }

  get receivedLength(): number {
    return this.#length;
  }

  get unread(): Uint8Array {
    return this.#bytes.subarray(this.#position, this.#length);
  }

  push(chunk: Uint8Array): void {
    if (this.#length + chunk.length > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes], 2 * (this.#length + chunk.length));
    }
    this.#bytes.set(chunk, this.#length);
    this.#length += chunk.length;
    this.#wake();
  }

  /** No more bytes will arrive, for the given reason. */
  end(reason: string): void {
    this.#end ??= reason;
    this.#wake();
  }

  /** Resolves with the value that `find` finds in the unread bytes, as soon as it has arrived. */
  async take<T>(
    what: string,
    timeout: number,
    find: (unread: Uint8Array, isEnded: boolean) => Found<T> | null,
  ): Promise<T> {
    const deadline = realNow() + timeout;
    for (;;) {
      const found = find(this.unread, this.#end !== null);
      if (found !== null) {
        this.#position += found.length;
        return found.value;
      }
      const state = () => `${what}; unread: ${describeBytes(this.unread)}`;
      if (this.#end !== null) throw new Error(`The connection ended (${this.#end}) before ${state()}.`);
      const change = new Promise<void>((resolve) => this.#waiters.push(resolve));
      await withTimeout(change, deadline - realNow(), what).catch(() => {
        throw new Error(`Waited ${timeout} ms for ${state()}.`);
      });
    }
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}
