// The bytes that one connection sends in one turn of the event loop, for one write. Small frames are copied into a
// slab, one after the other; larger ones are referenced.
//
// A connection has a batch only while it sends. Ten thousand idle connections have none, and the batches of busy ones
// stay in the processor's cache. All batches share one slab: an allocation per frame would be the second largest cost
// of sending small messages. Memory whose bytes the kernel accepted at once is reused.

import type { SendObserver } from "../../connection/message-transport.js";
import type { ByteStream, Clock } from "../../connection/ports.js";
import type { ByteQueue } from "../../protocol/protocol.js";
import type { SharedFrames } from "./shared-frames.js";

/** An object that collects bytes during this turn of the event loop. */
export interface Flushable {
  flush(): void;
}

export class WriteBatch implements ByteQueue, SlabOwner {
  readonly #slab: Slab;
  #chunks: Uint8Array[] | null = null;
  #bytes = 0;
  /** Receipts of the messages, if requested. */
  #receipts: SendObserver[] | null = null;
  /** The start of the newest part, which is still being written into the slab; -1 for none. */
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

  /** Reserves a frame of at most `size` bytes in the slab; returns its offset. */
  reserve(size: number): number {
    const slab = this.#slab;
    if (!slab.isOpenFor(this, size)) {
      this.closeRegion();
      slab.open(this, size);
      this.#regionStart = slab.position;
    }
    return slab.position;
  }

  /** A frame was written into the reserved bytes. */
  written(start: number, end: number): void {
    this.#slab.advance(end);
    this.#bytes += end - start;
  }

  /** Adds an observer of the newest message. */
  addReceipt(receipt: SendObserver): void {
    (this.#receipts ??= []).push(receipt);
  }

  /** Adds a frame by reference. */
  append(frame: Uint8Array): void {
    this.#leaveSlab();
    this.#push(frame);
    this.#bytes += frame.length;
  }

  /** Adds the frame of a broadcast message. If it is adjacent to the last one in memory, both become one piece. */
  appendShared(message: SharedFrames): void {
    this.#leaveSlab();
    const { frame } = message;
    const chunks = this.#chunks;
    const joined = chunks === null ? null : message.joinedTo(chunks[chunks.length - 1]);
    if (chunks === null || joined === null) this.#push(frame);
    else chunks[chunks.length - 1] = joined;
    this.#bytes += frame.length;
  }

  /**
   * Returns the chunks of the write, which then belong to the caller. The batch is empty again, except for its
   * receipts.
   */
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
    this.#slab.endRegion();
  }

  #push(chunk: Uint8Array): void {
    // Usually there is one chunk, and an array that grows allocates seventeen slots.
    if (this.#chunks === null) this.#chunks = [chunk];
    else this.#chunks.push(chunk);
  }
}

/** At most this many idle batches are kept; the garbage collector frees the rest. */
const KEPT = 256;

/** Small chunks are joined up to this size: writing them separately costs Node more than a copy. */
const JOIN_AT_MOST = 16 * 1024;

/** The batches of all connections of a process, and the memory that they share. */
export class WriteBatches {
  readonly #clock: Clock;
  readonly #slab = new Slab();
  /** Batches that are not in use. */
  readonly #idle: WriteBatch[] = [];
  #unflushed: Flushable[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  borrow(): WriteBatch {
    return this.#idle.pop() ?? new WriteBatch(this.#slab);
  }

  /** @param batch empty */
  release(batch: WriteBatch): void {
    if (this.#idle.length < KEPT) this.#idle.push(batch);
  }

  /** Calls `flush` at the end of this turn, after promises that resolve until then: one write for all. */
  flushAtTurnEnd(flushable: Flushable): void {
    if (this.#unflushed.push(flushable) === 1) this.#clock.atTurnEnd(this.#flushAll);
  }

  /**
   * Writes the chunks, which hold `bytes` bytes, to the stream. Reuses the memory of chunks that the kernel accepted at
   * once. Returns whether it accepted everything.
   */
  write(stream: ByteStream, chunks: readonly Uint8Array[], bytes: number): boolean {
    const joined = chunks.length > 1 && bytes <= JOIN_AT_MOST ? this.#join(chunks, bytes) : null;
    if (!stream.write(joined === null ? chunks : [joined])) return false;
    if (joined !== null) this.#slab.release(joined);
    for (let index = chunks.length - 1; index >= 0; index--) this.#slab.release(chunks[index]);
    return true;
  }

  /** Copies the chunks into one piece of the slab. */
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
    slab.endRegion();
    return slab.bytes.subarray(start, end);
  }

  readonly #flushAll = (): void => {
    const flushables = this.#unflushed;
    this.#unflushed = [];
    for (const flushable of flushables) {
      try {
        flushable.flush();
      } catch (error) {
        // Flush the others all the same, and rethrow the error where it is visible.
        this.#clock.atTurnEnd(() => {
          throw error;
        });
      }
    }
  };
}

/** Owns the slab while no batch writes. */
const NOBODY: SlabOwner = { closeRegion: () => undefined };

/**
 * Twice the size of a connection's largest write. A write that the kernel does not accept at once keeps the whole slab
 * in memory, so this is also the memory that a stuck connection can retain.
 */
const SLAB_SIZE = 128 * 1024;

/** A batch that writes into the slab. */
interface SlabOwner {
  /** Another batch writes next: the region written so far must end. */
  closeRegion(): void;
}

class Slab {
  #bytes = Buffer.allocUnsafeSlow(SLAB_SIZE);
  #position = 0;
  #owner: SlabOwner | null = null;

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** The offset at which the owner writes next. */
  get position(): number {
    return this.#position;
  }

  /** Whether `owner` may continue after its last write, with room for `size` bytes. */
  isOpenFor(owner: SlabOwner, size: number): boolean {
    return this.#owner === owner && this.#position + size <= SLAB_SIZE;
  }

  /** Begins a region for `owner` with room for at least `size` bytes (at most `SLAB_SIZE`). */
  open(owner: SlabOwner, size: number): void {
    this.#owner?.closeRegion();
    this.#owner = owner;
    if (this.#position + size <= SLAB_SIZE) return;
    this.#bytes = Buffer.allocUnsafeSlow(SLAB_SIZE);
    this.#position = 0;
  }

  /** The owner has written up to `position`. */
  advance(position: number): void {
    this.#position = position;
  }

  /** The owner's region is complete. */
  endRegion(): void {
    this.#owner = null;
  }

  /** The kernel accepted `region`. If nothing was written after it, its memory is reused. */
  release(region: Uint8Array): void {
    if (region.buffer === this.#bytes.buffer && region.byteOffset + region.length === this.#position) {
      this.#position = region.byteOffset;
    }
  }
}
