// What one connection sends in one turn of the event loop, on its way into one write. Small frames are written into
// the slab one behind the other; what is in memory already is referred to.
//
// A connection has a batch only while it sends: ten thousand idle ones have none, and those of busy ones are few enough
// to stay in the processor's cache.

import type { SendObserver } from "../../connection/message-transport.js";
import type { SharedFrames } from "./shared-frames.js";
import type { Slab, SlabOwner } from "./slab.js";

export class WriteBatch implements SlabOwner {
  readonly #slab: Slab;
  #chunks: Uint8Array[] | null = null;
  #bytes = 0;
  /** Of its messages, for those who asked. */
  #receipts: SendObserver[] | null = null;
  /** Where the newest part begins, which is still being written into the slab; -1 for none. */
  #regionStart = -1;

  constructor(slab: Slab) {
    this.#slab = slab;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Room for a frame of at most `size` bytes in the slab; returns where it begins. */
  reserve(size: number): number {
    const slab = this.#slab;
    if (!slab.isOpenFor(this, size)) {
      this.closeRegion();
      slab.open(this, size);
      this.#regionStart = slab.position;
    }
    return slab.position;
  }

  /** A frame was written into the room that was reserved. */
  written(start: number, end: number, receipt: SendObserver | null): void {
    this.#slab.advance(end);
    this.#bytes += end - start;
    if (receipt !== null) (this.#receipts ??= []).push(receipt);
  }

  /** Adds a frame that is in memory already. */
  append(frame: Uint8Array): void {
    this.#leaveSlab();
    this.#push(frame);
    this.#bytes += frame.length;
  }

  /** Adds the frame of a message to many: one that lies right behind the last makes one piece with it. */
  appendShared(message: SharedFrames): void {
    this.#leaveSlab();
    const { frame } = message;
    const chunks = this.#chunks;
    const joined = chunks === null ? null : message.joinedTo(chunks[chunks.length - 1]);
    if (chunks === null || joined === null) this.#push(frame);
    else chunks[chunks.length - 1] = joined;
    this.#bytes += frame.length;
  }

  /** The chunks of the write, which are the caller's from now on; the batch is empty again, but for its receipts. */
  take(): Uint8Array[] {
    this.#leaveSlab();
    const chunks = this.#chunks ?? [];
    this.#chunks = null;
    this.#bytes = 0;
    return chunks;
  }

  takeReceipts(): readonly SendObserver[] | null {
    const receipts = this.#receipts;
    this.#receipts = null;
    return receipts;
  }

  closeRegion(): void {
    if (this.#regionStart < 0) return;
    this.#push(this.#slab.bytes.subarray(this.#regionStart, this.#slab.position));
    this.#regionStart = -1;
  }

  #leaveSlab(): void {
    if (this.#regionStart < 0) return;
    this.closeRegion();
    this.#slab.leave();
  }

  #push(chunk: Uint8Array): void {
    // Mostly there is one chunk, and an array that grows makes room for seventeen.
    if (this.#chunks === null) this.#chunks = [chunk];
    else this.#chunks.push(chunk);
  }
}

/** Those of more connections that send in one turn are left to the garbage collector. */
const KEPT = 256;

/** Batches that nobody needs at the moment. */
export class WriteBatchPool {
  readonly #slab: Slab;
  readonly #idle: WriteBatch[] = [];

  constructor(slab: Slab) {
    this.#slab = slab;
  }

  borrow(): WriteBatch {
    return this.#idle.pop() ?? new WriteBatch(this.#slab);
  }

  /** @param batch empty */
  giveBack(batch: WriteBatch): void {
    if (this.#idle.length < KEPT) this.#idle.push(batch);
  }
}
