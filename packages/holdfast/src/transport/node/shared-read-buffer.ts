// Reading a TCP socket into memory that all sockets share, instead of memory of its own for each chunk: where messages
// are short, allocating that memory and giving it back is a third of what a client spends beside the kernel. Node does
// it for sockets that connect (the option `onread`), not for those that a server accepts, nor below TLS.
//
// Payloads that are handed out as they lie have to be copied out of memory that is read over again. After a chunk with
// much of that, the next one gets memory of its own.

import type { OnReadOpts, Socket } from "node:net";
import type { Duplex } from "node:stream";

/** Who reads. */
export interface SharedChunkHandler {
  /**
   * Takes a chunk that is good for the time of the call only. Returns whether much was copied out of it, so that a
   * chunk to keep would have been better.
   */
  onSharedChunk(chunk: Buffer): boolean;
  /** Takes a chunk to keep. */
  onOwnChunk(chunk: Buffer): void;
}

/** What Node reads at a time elsewhere. */
const CHUNK_SIZE = 64 * 1024;

/** With smaller chunks the traffic is not bulk any more, and memory for each of them a waste. */
const BULK_FROM = CHUNK_SIZE / 4;

/** Bun and Deno have sockets of their own, which read in their own ways. */
const canLend = !("Bun" in globalThis) && !("Deno" in globalThis);

const readings = new WeakMap<Duplex, SharedReadBuffer>();
let sharedMemory: Buffer | null = null;

/** Opens a socket that reads into shared memory, where the runtime can do it. */
export function openWithSharedBuffer(open: (options: { readonly onread?: OnReadOpts }) => Socket): Socket {
  if (!canLend) return open({});
  const reading = new SharedReadBuffer();
  const socket = open({ onread: reading.options });
  readings.set(socket, reading);
  return socket;
}

/** Null for a socket, or another stream, that is read by its `data` events. */
export function sharedReadBufferOf(stream: Duplex): SharedReadBuffer | null {
  return readings.get(stream) ?? null;
}

export class SharedReadBuffer {
  readonly #shared = (sharedMemory ??= Buffer.allocUnsafeSlow(CHUNK_SIZE));
  #reader: SharedChunkHandler | null = null;
  #wantsOwn = false;
  /** What arrived before there was a reader. */
  #early: Buffer | null = null;

  /** Node asks for the memory of the next chunk after each one. */
  get options(): OnReadOpts {
    return {
      buffer: () => (this.#wantsOwn ? Buffer.allocUnsafeSlow(CHUNK_SIZE) : this.#shared),
      callback: (length, memory) => this.#onRead(memory as Buffer, length), // one of the two above
    };
  }

  /** What arrived before is delivered in a later turn, and the stream has to be resumed. */
  start(reader: SharedChunkHandler): void {
    this.#reader = reader;
    const early = this.#early;
    this.#early = null;
    if (early !== null) process.nextTick(() => this.#reader?.onOwnChunk(early));
  }

  /** Returns false for no more. */
  #onRead(memory: Buffer, length: number): boolean {
    const chunk = memory.subarray(0, length);
    if (this.#reader === null) {
      this.#early = this.#early === null ? Buffer.from(chunk) : Buffer.concat([this.#early, chunk]);
      return false;
    }
    if (memory === this.#shared) {
      this.#wantsOwn = this.#reader.onSharedChunk(chunk);
    } else {
      this.#wantsOwn = length >= BULK_FROM;
      this.#reader.onOwnChunk(chunk);
    }
    return true;
  }
}
