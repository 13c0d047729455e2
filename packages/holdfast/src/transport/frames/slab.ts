// Memory for outgoing frames, shared by all connections of a process: an allocation per frame would be the
// second largest cost of sending small messages. Frames are written one behind the other, and what the kernel
// took at once is written over again.

/**
 * Twice what a connection hands over in one write. A write that the kernel does not take at once keeps the
 * whole slab in memory, so this is also what a stuck connection can pin.
 */
const SLAB_SIZE = 128 * 1024;

/** Who writes into the slab at the moment. */
export interface SlabOwner {
  /** Somebody else writes next: what was written so far has to be set apart. */
  closeRegion(): void;
}

export class Slab {
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
