// The messages that the peer has not confirmed, by position. They lie in blocks of 32: a block is young when its messages
// are stored, so that the garbage collector's write barrier costs little, and it is freed as a whole. (With one long-lived
// circular array, the barrier took some 20 ns of each message of a pipelined echo.)

import {
  memoryOf,
  MESSAGE_OVERHEAD,
  SharedPayload,
  type MemoryMeter,
  type SessionMessageData,
} from "./session-memory.js";

/** A position without a message to replay: `"skipped"` or `"streamed"`. */
export type Gap =
  /** Will never arrive: a streamed message that did not. */
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

/** Position p is in slot `p % BLOCK` of block `floor(p / BLOCK)`. */
const BLOCK = 32;

const NO_BLOCK: Slot[] = [];
/** Shared, and never changed. */
const NO_BLOCKS: Slot[][] = [];
const NO_STARTS: number[] = [];

export class KeptMessages {
  readonly #meter: MemoryMeter;
  /** In order; the first one has the oldest position. */
  #blocks = NO_BLOCKS;
  /** `#pushed` when each block began. */
  #starts = NO_STARTS;
  /** The number of the first block. */
  #first = 0;
  #newest = NO_BLOCK;
  /** The next slot of the newest block. */
  #index = BLOCK;
  /** The payload of all messages so far, and of those that were dropped. */
  #pushed = 0;
  #dropped = 0;
  /** Slots that hold anything but a string. Without any, the payload of whole blocks is known. */
  #others = 0;

  constructor(meter: MemoryMeter) {
    this.#meter = meter;
  }

  /** The payloads of the kept messages: bytes, and UTF-16 code units of strings. */
  get bytes(): number {
    return this.#pushed - this.#dropped;
  }

  /** The number of messages that the newest block has room for. */
  get room(): number {
    return BLOCK - this.#index;
  }

  /** Keeps a message. Positions follow one another. */
  push(position: number, message: SessionMessageData | SharedPayload): void {
    this.#add(position, message, lengthOf(message));
    if (typeof message === "string") {
      this.#meter.used += message.length + MESSAGE_OVERHEAD;
      return;
    }
    this.#others++;
    this.#meter.used += message instanceof SharedPayload ? message.retain() : memoryOf(message);
  }

  /** The same for a string, where there is `room`. */
  pushText(text: string): void {
    const { length } = text;
    this.#newest[this.#index++] = text;
    this.#pushed += length;
    this.#meter.used += length + MESSAGE_OVERHEAD;
  }

  pushGap(position: number, gap: Gap): void {
    this.#add(position, gap === "skipped" ? SKIPPED : STREAMED, 0);
    this.#others++;
  }

  /** Drops the message at a position, which stays as a gap that is skipped. */
  skip(position: number): void {
    this.#release(position);
    this.#blockOf(position)[position % BLOCK] = SKIPPED;
    this.#others++;
  }

  /** Drops the positions from `first`, the oldest one, to `last`: the peer has confirmed them. */
  drop(first: number, last: number): void {
    let position = first;
    while (position <= last) {
      const isWhole = position % BLOCK === 0 && position + BLOCK - 1 <= last && this.#others === 0;
      if (isWhole) {
        const number = position / BLOCK - this.#first;
        const bytes = (this.#starts[number + 1] ?? this.#pushed) - this.#starts[number];
        this.#dropped += bytes;
        this.#meter.used -= bytes + BLOCK * MESSAGE_OVERHEAD;
        position += BLOCK;
      } else {
        this.#release(position++);
      }
    }
    this.#forgetBlocks(Math.floor(position / BLOCK) - this.#first);
  }

  gapAt(position: number): Gap | null {
    const slot = this.#blockOf(position)[position % BLOCK];
    return slot instanceof GapSlot ? slot.gap : null;
  }

  /** The message at a position; null for a gap. */
  messageAt(position: number): SessionMessageData | null {
    const slot = this.#blockOf(position)[position % BLOCK];
    if (slot === undefined || slot instanceof GapSlot) return null;
    return slot instanceof SharedPayload ? slot.data : slot;
  }

  #add(position: number, slot: Slot, length: number): void {
    if (this.#index === BLOCK) this.#beginBlock(position);
    this.#newest[this.#index++] = slot;
    this.#pushed += length;
  }

  #beginBlock(position: number): void {
    const newest = new Array<Slot>(BLOCK);
    this.#newest = newest;
    this.#index = position % BLOCK;
    if (this.#blocks.length > 0) {
      this.#blocks.push(newest);
      this.#starts.push(this.#pushed);
    } else {
      this.#first = Math.floor(position / BLOCK);
      this.#blocks = [newest]; // An array with a single element takes less than one to which it was added.
      this.#starts = [this.#pushed];
    }
  }

  #blockOf(position: number): Slot[] {
    return this.#blocks[Math.floor(position / BLOCK) - this.#first];
  }

  #release(position: number): void {
    const block = this.#blockOf(position);
    const slot = block[position % BLOCK];
    block[position % BLOCK] = undefined;
    if (slot === undefined) return;
    if (typeof slot === "string") {
      this.#dropped += slot.length;
      this.#meter.used -= slot.length + MESSAGE_OVERHEAD;
      return;
    }
    this.#others--;
    if (slot instanceof GapSlot) return;
    this.#dropped += lengthOf(slot);
    this.#meter.used -= slot instanceof SharedPayload ? slot.release() : memoryOf(slot);
  }

  #forgetBlocks(count: number): void {
    if (count === 0 || this.#blocks.length === 0) return;
    this.#first += count;
    this.#blocks.splice(0, count);
    this.#starts.splice(0, count);
  }
}

function lengthOf(message: SessionMessageData | SharedPayload): number {
  return message instanceof SharedPayload ? message.data.length : message.length;
}
