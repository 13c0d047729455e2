// The messages that the peer has not confirmed, in a circular array: position p is in slot p & mask. It grows by
// doubling, and an idle session has none.

import {
  memoryOf,
  MESSAGE_OVERHEAD,
  SharedPayload,
  type MemoryMeter,
  type SessionMessageData,
} from "./session-memory.js";

/** A position without a message to replay: `"skipped"` or `"streamed"`. */
export type Gap =
  /** Will never arrive: withdrawn, or a streamed message that did not. */
  | "skipped"
  /** Was streamed: counted, but not kept. */
  | "streamed";

/** One object for each kind of gap, since strings could not be distinguished from messages. */
class GapSlot {
  readonly gap: Gap;
  constructor(gap: Gap) {
    this.gap = gap;
  }
}

const SKIPPED = new GapSlot("skipped");
const STREAMED = new GapSlot("streamed");

type Slot = GapSlot | SessionMessageData | SharedPayload | undefined;

/** Shared by idle sessions. Never changed. */
const NO_SLOTS: Slot[] = [];
const NO_LENGTHS: number[] = [];
const FIRST_CAPACITY = 16;

export class ReplayRing {
  readonly #meter: MemoryMeter;
  #slots = NO_SLOTS;
  /** The lengths of the strings, so that confirming them need not read them: by then they have left the processor's cache. */
  #lengths = NO_LENGTHS;
  #bytes = 0;
  /** Slots that hold anything but a string. Without any, all messages up to a position are dropped at once. */
  #others = 0;

  constructor(meter: MemoryMeter) {
    this.#meter = meter;
  }

  /** The payloads of the kept messages: bytes, and UTF-16 code units of strings. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps a message. `count` is the number of positions in the ring before it. */
  push(position: number, message: SessionMessageData | SharedPayload, count: number): void {
    if (count === this.#slots.length) this.#grow(position, count);
    const index = position & (this.#slots.length - 1);
    this.#slots[index] = message;
    if (typeof message === "string") {
      const { length } = message;
      this.#lengths[index] = length;
      this.#bytes += length;
      this.#meter.used += length + MESSAGE_OVERHEAD;
      return;
    }
    this.#others++;
    const isShared = message instanceof SharedPayload;
    this.#bytes += isShared ? message.data.length : message.length;
    this.#meter.used += isShared ? message.retain() : memoryOf(message);
  }

  pushGap(position: number, gap: Gap, count: number): void {
    if (count === this.#slots.length) this.#grow(position, count);
    this.#slots[position & (this.#slots.length - 1)] = gap === "skipped" ? SKIPPED : STREAMED;
    this.#others++;
  }

  /** Drops the message at a position, which stays as a gap that is skipped. */
  skip(position: number): void {
    this.#release(position);
    this.#slots[position & (this.#slots.length - 1)] = SKIPPED;
    this.#others++;
  }

  /** Drops the positions from `first` to `last`: the peer has confirmed them. */
  drop(first: number, last: number): void {
    if (first > last) return;
    if (this.#others > 0) {
      for (let position = first; position <= last; position++) this.#release(position);
      return;
    }
    const mask = this.#slots.length - 1;
    let bytes = 0;
    for (let position = first; position <= last; position++) bytes += this.#lengths[position & mask];
    this.#bytes -= bytes;
    this.#meter.used -= bytes + (last - first + 1) * MESSAGE_OVERHEAD;
    const from = first & mask;
    const to = last & mask;
    if (from <= to) {
      this.#slots.fill(undefined, from, to + 1);
    } else {
      this.#slots.fill(undefined, from);
      this.#slots.fill(undefined, 0, to + 1);
    }
  }

  gapAt(position: number): Gap | null {
    const slot = this.#slots[position & (this.#slots.length - 1)];
    return slot instanceof GapSlot ? slot.gap : null;
  }

  /** The message at a position; null for a gap. */
  messageAt(position: number): SessionMessageData | null {
    const slot = this.#slots[position & (this.#slots.length - 1)];
    if (slot === undefined || slot instanceof GapSlot) return null;
    return slot instanceof SharedPayload ? slot.data : slot;
  }

  /** Frees the memory of a ring that has become empty. */
  trim(count: number): void {
    if (count > 0) return;
    this.#slots = NO_SLOTS;
    this.#lengths = NO_LENGTHS;
  }

  #release(position: number): void {
    const index = position & (this.#slots.length - 1);
    const slot = this.#slots[index];
    if (slot === undefined) return;
    this.#slots[index] = undefined;
    if (typeof slot === "string") {
      this.#bytes -= slot.length;
      this.#meter.used -= slot.length + MESSAGE_OVERHEAD;
      return;
    }
    this.#others--;
    if (slot instanceof GapSlot) return;
    const isShared = slot instanceof SharedPayload;
    this.#bytes -= isShared ? slot.data.length : slot.length;
    this.#meter.used -= isShared ? slot.release() : memoryOf(slot);
  }

  /** Doubles the ring. `next` is the position after those that it holds. */
  #grow(next: number, count: number): void {
    const capacity = Math.max(FIRST_CAPACITY, this.#slots.length * 2);
    const slots = new Array<Slot>(capacity).fill(undefined);
    const lengths = new Array<number>(capacity).fill(0);
    for (let position = next - count; position < next; position++) {
      const index = position & (this.#slots.length - 1);
      slots[position & (capacity - 1)] = this.#slots[index];
      lengths[position & (capacity - 1)] = this.#lengths[index];
    }
    this.#slots = slots;
    this.#lengths = lengths;
  }
}
