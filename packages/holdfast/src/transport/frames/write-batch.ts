// What one connection sends in one turn of the event loop, on its way into one write. Small frames are written into
// the slab one behind the other; what is in memory already is referred to.
//
// A connection has a batch only while it sends: ten thousand idle ones have none, and those of busy ones are few enough
// to stay in the processor's cache. All batches write into one slab: an allocation per frame would be the second largest
// cost of sending small messages. What the kernel took at once is written over again.

import type { SendObserver } from "../../connection/message-transport.js";
import type { ByteStream, Clock } from "../../connection/ports.js";
import type { ByteQueue } from "../../protocol/protocol.js";
import type { SharedFrames } from "./shared-frames.js";

/** Something that collected bytes during this turn of the event loop. */
export interface Flushable {
  flush(): void;
}

export class WriteBatch implements ByteQueue, SlabOwner {
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

  get memory(): Buffer {
    return this.#slab.bytes;
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
  written(start: number, end: number): void {
    this.#slab.advance(end);
    this.#bytes += end - start;
  }

  /** Whoever asks when the newest message is written. */
  addReceipt(receipt: SendObserver): void {
    (this.#receipts ??= []).push(receipt);
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

/** Several small chunks are joined for the socket: to hand them over one by one costs Node more than a copy. */
const JOIN_AT_MOST = 16 * 1024;

/** The batches of all connections of a process, with the memory that they write into. */
export class WriteBatches {
  readonly #clock: Clock;
  readonly #slab = new Slab();
  /** Batches that nobody needs at the moment. */
  readonly #idle: WriteBatch[] = [];
  #unflushed: Flushable[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  borrow(): WriteBatch {
    return this.#idle.pop() ?? new WriteBatch(this.#slab);
  }

  /** @param batch empty */
  giveBack(batch: WriteBatch): void {
    if (this.#idle.length < KEPT) this.#idle.push(batch);
  }

  /** Calls `flush` at the end of this turn, after the promises that are ready by then: one write for them all. */
  flushAtTurnEnd(flushable: Flushable): void {
    if (this.#unflushed.push(flushable) === 1) this.#clock.atTurnEnd(this.#flushAll);
  }

  /**
   * Hands the chunks, which hold `bytes` bytes, to the stream; the memory of those that it took at once is used again.
   * Returns whether it took everything.
   */
  write(stream: ByteStream, chunks: readonly Uint8Array[], bytes: number): boolean {
    const joined = chunks.length > 1 && bytes <= JOIN_AT_MOST ? this.#join(chunks, bytes) : null;
    if (!stream.write(joined === null ? chunks : [joined])) return false;
    if (joined !== null) this.#slab.release(joined);
    for (let index = chunks.length - 1; index >= 0; index--) this.#slab.release(chunks[index]);
    return true;
  }

  /** The chunks side by side in the slab. */
  #join(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
    const slab = this.#slab;
    slab.open(NOBODY, bytes);
    const start = slab.position;
    let end = start;
    for (const chunk of chunks) {
      slab.bytes.set(chunk, end);
      end += chunk.length;
    }
    slab.advance(end);
    slab.leave();
    return slab.bytes.subarray(start, end);
  }

  readonly #flushAll = (): void => {
    const flushables = this.#unflushed;
    this.#unflushed = [];
    for (const flushable of flushables) {
      try {
        flushable.flush();
      } catch (error) {
        // The others are flushed all the same, and the failure stays visible.
        this.#clock.atTurnEnd(() => {
          throw error;
        });
      }
    }
  };
}

/** The region is complete when it is left. */
const NOBODY: SlabOwner = { closeRegion: () => undefined };

/**
 * Twice what a connection hands over in one write. A write that the kernel does not take at once keeps the
 * whole slab in memory, so this is also what a stuck connection can pin.
 */
const SLAB_SIZE = 128 * 1024;

/** Who writes into the slab at the moment. */
interface SlabOwner {
  /** Somebody else writes next: what was written so far has to be set apart. */
  closeRegion(): void;
}

class Slab {
  #bytes = Buffer.allocUnsafeSlow(SLAB_SIZE);
  #position = 0;
  #owner: SlabOwner | null = null;

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Where the owner writes next. */
  get position(): number {
    return this.#position;
  }

  /** Whether `owner` may go on behind what it wrote last, and has room for `size` bytes. */
  isOpenFor(owner: SlabOwner, size: number): boolean {
    return this.#owner === owner && this.#position + size <= SLAB_SIZE;
  }

  /** Begins a region of `owner` with room for at least `size` bytes (at most `SLAB_SIZE`). */
  open(owner: SlabOwner, size: number): void {
    this.#owner?.closeRegion();
    this.#owner = owner;
    if (this.#position + size <= SLAB_SIZE) return;
    this.#bytes = Buffer.allocUnsafeSlow(SLAB_SIZE);
    this.#position = 0;
  }

  /** The owner wrote up to `position`. */
  advance(position: number): void {
    this.#position = position;
  }

  /** The owner's region is complete. */
  leave(): void {
    this.#owner = null;
  }

  /** The kernel took `region`: where nothing was written behind it, its memory is used again. */
  release(region: Uint8Array): void {
    if (region.buffer === this.#bytes.buffer && region.byteOffset + region.length === this.#position) {
      this.#position = region.byteOffset;
    }
  }
}
