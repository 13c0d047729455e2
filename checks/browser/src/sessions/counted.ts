// Numbered messages of mixed kinds and sizes, and a tally of what is missing among those that arrive.

import type { Message } from "holdfast";

/** The errors in a stream of numbered messages. */
export interface Faults {
  readonly lost: number;
  readonly duplicated: number;
  readonly outOfOrder: number;
  /** Messages with the right number and other content. */
  readonly damaged: number;
}

/** A tally as JSON. */
export interface TallyState {
  readonly count: number;
  readonly last: number;
  readonly missing: readonly number[];
  readonly duplicated: number;
  readonly outOfOrder: number;
  readonly damaged: number;
}

/** Milliseconds between two bursts of a stream. Without such pauses, it would keep both cores of a machine busy. */
export const PAUSE = 20;

/** Message `n` of a stream: text or bytes of 4 to some 3,000 characters, which depend on the number only. */
export function messageOf(n: number): Message {
  const length = n % 50 === 0 ? 3_000 : 4 + (n % 61);
  if (n % 2 === 0) return `${String(n)}:${(n % 6 === 0 ? "é" : "x").repeat(length)}`;
  const bytes = new Uint8Array(4 + length).fill(n & 255);
  new DataView(bytes.buffer).setUint32(0, n);
  return bytes;
}

export class Tally {
  /** The number of messages that arrived. */
  count = 0;
  #last = 0;
  #missing = new Set<number>();
  #counts = { duplicated: 0, outOfOrder: 0, damaged: 0 };

  take(message: Message): void {
    this.count++;
    const n =
      typeof message === "string"
        ? Number(message.slice(0, message.indexOf(":")))
        : new DataView(message.buffer, message.byteOffset).getUint32(0);
    if (!isEqual(message, messageOf(n))) this.#counts.damaged++;
    if (n > this.#last) {
      for (let missing = this.#last + 1; missing < n; missing++) this.#missing.add(missing);
      this.#last = n;
    } else if (this.#missing.delete(n)) this.#counts.outOfOrder++;
    else this.#counts.duplicated++;
  }

  save(): TallyState {
    return { count: this.count, last: this.#last, missing: [...this.#missing], ...this.#counts };
  }

  restore({ count, last, missing, ...counts }: TallyState): void {
    this.count = count;
    this.#last = last;
    this.#missing = new Set(missing);
    this.#counts = counts;
  }

  /** The faults, if the peer sent the messages 1 to `sent`. */
  faults(sent: number): Faults {
    return { lost: this.#missing.size + Math.max(0, sent - this.#last), ...this.#counts };
  }
}

export const NO_FAULTS: Faults = { lost: 0, duplicated: 0, outOfOrder: 0, damaged: 0 };

function isEqual(left: Message, right: Message): boolean {
  if (typeof left === "string" || typeof right === "string") return left === right;
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
