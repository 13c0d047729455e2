// The messages that the peer has not confirmed, in a circular array: position p is in slot p & mask. It grows by
// doubling, and an idle session has none.

import { memoryOf, SharedPayload, type MemoryMeter, type SessionMessageData } from "./session-memory.js";

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

/** The ring that idle sessions share. Never changed. */
const NO_SLOTS: Slot[] = [];
const FIRST_CAPACITY = 16;

export class ReplayRing {
  readonly #meter: MemoryMeter;
  #slots = NO_SLOTS;
  #bytes = 0;

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
    this.#slots[position & (this.#slots.length - 1)] = message;
    if (message instanceof SharedPayload) {
      this.#bytes += message.data.length;
      this.#meter.used += message.retain();
    } else {
      this.#bytes += message.length;
      this.#meter.used += memoryOf(message);
    }
  }

  pushGap(position: number, gap: Gap, count: number): void {
    if (count === this.#slots.length) this.#grow(position, count);
    this.#slots[position & (this.#slots.length - 1)] = gap === "skipped" ? SKIPPED : STREAMED;
  }

  /** Drops the message at a position, which stays as a gap that is skipped. */
  skip(position: number): void {
    this.#release(position);
    this.#slots[position & (this.#slots.length - 1)] = SKIPPED;
  }

  /** Drops a position that the peer has confirmed. */
  drop(position: number): void {
    this.#release(position);
    this.#slots[position & (this.#slots.length - 1)] = undefined;
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
    if (count === 0) this.#slots = NO_SLOTS;
  }

  #release(position: number): void {
    const slot = this.#slots[position & (this.#slots.length - 1)];
    if (slot === undefined || slot instanceof GapSlot) return;
    if (slot instanceof SharedPayload) {
      this.#bytes -= slot.data.length;
      this.#meter.used -= slot.release();
    } else {
      this.#bytes -= slot.length;
      this.#meter.used -= memoryOf(slot);
    }
  }

  /** Doubles the ring. `next` is the position after those that it holds. */
  #grow(next: number, count: number): void {
    const slots = new Array<Slot>(Math.max(FIRST_CAPACITY, this.#slots.length * 2));
    for (let position = next - count; position < next; position++) {
      slots[position & (slots.length - 1)] = this.#slots[position & (this.#slots.length - 1)];
    }
    this.#slots = slots;
  }
}
