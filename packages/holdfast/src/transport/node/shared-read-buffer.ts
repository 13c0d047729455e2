// Reads TCP sockets into one buffer that all sockets share. With short messages, allocating and freeing a
// buffer per chunk is a third of a client's CPU time outside the kernel. Node supports this for outgoing
// sockets (the option `onread`), but not for sockets that a server accepts, nor below TLS.
//
// Payloads that are delivered as views must be copied out of the shared buffer. After a chunk with many such
// payloads, the next chunk is read into a buffer of its own.

import type { OnReadOpts, Socket } from "node:net";
import type { Duplex } from "node:stream";

/** The reader of a socket. */
export interface SharedChunkHandler {
  /**
   * Receives a chunk that is only valid during the call. Returns whether much of it was copied, so that a
   * chunk of its own would have been better.
   */
  onSharedChunk(chunk: Buffer): boolean;
  /** Receives a chunk that the handler may keep. */
  onOwnChunk(chunk: Buffer): void;
}

/** The size that Node reads at a time by default. */
const CHUNK_SIZE = 64 * 1024;

/** Smaller chunks are not bulk traffic, and a buffer of their own would waste memory. */
const BULK_FROM = CHUNK_SIZE / 4;

/** Bun and Deno have their own socket implementations without this option. */
const isSupported = !("Bun" in globalThis) && !("Deno" in globalThis);

const buffers = new WeakMap<Duplex, SharedReadBuffer>();
let sharedMemory: Buffer | null = null;

/** Opens a socket that reads into the shared buffer, if the runtime supports that. */
export function openWithSharedBuffer(open: (options: { readonly onread?: OnReadOpts }) => Socket): Socket {
  if (!isSupported) return open({});
  const buffer = new SharedReadBuffer();
  const socket = open({ onread: buffer.options });
  buffers.set(socket, buffer);
  return socket;
}

/**
 * As `openWithSharedBuffer`, for a socket on which an HTTP client does the opening handshake: until there is a reader,
 * the socket emits `data` as any other. Later `data` listeners still get what arrives.
 */
export function openForHttpClient(open: (options: { readonly onread?: OnReadOpts }) => Socket): Socket {
  const socket = openWithSharedBuffer(open);
  sharedReadBufferOf(socket)?.emitFrom(socket);
  return socket;
}

/** Null for a socket or another stream that is read through its `data` events. */
export function sharedReadBufferOf(stream: Duplex): SharedReadBuffer | null {
  return buffers.get(stream) ?? null;
}

export class SharedReadBuffer {
  readonly #shared = (sharedMemory ??= Buffer.allocUnsafeSlow(CHUNK_SIZE));
  #reader: SharedChunkHandler | null = null;
  #wantsOwn = false;
  /** Data that arrived before there was a reader. */
  #heldChunk: Buffer | null = null;
  /** The socket of an HTTP client, whose `data` listeners get what arrives; null for other sockets. */
  #emitter: Socket | null = null;

  /** Node requests the buffer for the next chunk after each chunk. */
  get options(): OnReadOpts {
    return {
      buffer: () => (this.#wantsOwn ? Buffer.allocUnsafeSlow(CHUNK_SIZE) : this.#shared),
      callback: (length, memory) => this.#onRead(memory as Buffer, length), // one of the two above
    };
  }

  emitFrom(socket: Socket): void {
    this.#emitter = socket;
  }

  /** Delivers earlier data in a later turn. The caller has to resume the stream. */
  start(reader: SharedChunkHandler): void {
    this.#reader = reader;
    const chunk = this.#heldChunk;
    this.#heldChunk = null;
    if (chunk !== null) process.nextTick(() => this.#reader?.onOwnChunk(chunk));
  }

  /** Returns false to pause the socket. */
  #onRead(memory: Buffer, length: number): boolean {
    const chunk = memory.subarray(0, length);
    if (this.#emitter !== null) {
      if (this.#reader === null) return this.#emitter.push(Buffer.from(chunk));
      if (this.#emitter.listenerCount("data") > 0) this.#emitter.emit("data", Buffer.from(chunk));
    }
    if (this.#reader === null) {
      this.#heldChunk =
        this.#heldChunk === null ? Buffer.from(chunk) : Buffer.concat([this.#heldChunk, chunk]);
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
