// Compresses and decompresses with zlib streams that are kept from message to message.

import type { createDeflateRaw, createInflateRaw } from "node:zlib";
import { HandlePool } from "./handle-pool.js";
import type { PlaintextWindow } from "./plaintext-window.js";
import {
  documentedCalls,
  type DeflateOptions,
  type InflateCallOptions,
  type RawInflated,
  type ZlibCalls,
} from "./zlib-calls.js";
import { ZlibHandle, type ZlibEngine } from "./zlib-handle.js";
import { deflateZlibOptions, inflateZlibOptions, Z_FINISH, Z_SYNC_FLUSH } from "./zlib-options.js";

/**
 * With the default options a handle that compresses takes some 100 KB; with the largest window and memory level, 280 KB.
 * With more busy connections than this, most messages need a new handle, which costs as much as the documented calls.
 */
const MAX_HANDLES = 64;

/** The functions of node:zlib that create the streams. */
export interface ZlibFactory {
  readonly createDeflateRaw: (...options: Parameters<typeof createDeflateRaw>) => ZlibEngine;
  readonly createInflateRaw: (...options: Parameters<typeof createInflateRaw>) => ZlibEngine;
}

/** The output buffer of Node's stream, which is not used. 64 is the minimum. */
const UNUSED_BUFFER = { chunkSize: 64 };

/** The header of a block without compression: the first byte, the length, and its complement (RFC 1951 section 3.2.4). */
const STORED_HEADER = 5;

export class LiveCalls implements ZlibCalls {
  readonly #factory: ZlibFactory;
  /** By the window that a handle continues, or by a number for its options if it is reset for each message. */
  readonly #handles: HandlePool<PlaintextWindow | number>;
  readonly #maxHandles: number;
  #input: Buffer | null = null;
  /** The number of the current message. */
  #uses: number;

  constructor(factory: ZlibFactory, maxHandles = MAX_HANDLES) {
    this.#factory = factory;
    this.#handles = new HandlePool(maxHandles);
    this.#maxHandles = maxHandles;
    this.#uses = maxHandles;
  }

  /** How many handles there are. */
  get size(): number {
    return this.#handles.size;
  }

  deflate(payload: Uint8Array, options: DeflateOptions): Uint8Array {
    const { window, windowBits, level, memLevel } = options;
    const key = window ?? (windowBits * 10 + level) * 10 + memLevel;
    let handle = this.#handles.get(key);
    if (window !== null && !this.#isBusy(window) && handle === undefined) {
      return documentedCalls.deflate(payload, options);
    }
    handle ??= this.#handles.add(key, this.#deflater(options));
    if (window === null) handle.reset();
    const maxSize = maxDeflatedSize(payload.length);
    return this.#run(key, handle, payload, Z_SYNC_FLUSH, 0, maxSize);
  }

  /**
   * Whether the connection's last message is so recent that its handle would still be here. For others a handle would be
   * of no use, and creating and replacing it fragments memory (measured: 30 KB for each of 2,000 connections).
   */
  #isBusy(window: PlaintextWindow): boolean {
    const before = window.lastUse;
    window.lastUse = ++this.#uses;
    return this.#uses - before <= this.#maxHandles;
  }

  /**
   * One handle serves all connections: setting the window of an inflater is a copy. The input begins with the window as a
   * block without compression, and its output is left out.
   */
  inflate(data: Uint8Array, tail: Uint8Array, options: InflateCallOptions): RawInflated {
    const { windowBits: key, dictionary, maxSize } = options;
    const handle = this.#handles.get(key) ?? this.#handles.add(key, this.#inflater(key));
    handle.reset();
    const skipped = dictionary?.length ?? 0;
    const blockSize = skipped === 0 ? 0 : STORED_HEADER + skipped;
    const length = blockSize + data.length + tail.length;
    const input = this.#inputOf(length);
    if (dictionary !== undefined && skipped > 0) writeStored(input, dictionary);
    input.set(data, blockSize);
    input.set(tail, blockSize + data.length);
    const buffer = this.#run(key, handle, input.subarray(0, length), Z_FINISH, skipped, maxSize);
    return { buffer, consumed: data.length + tail.length - handle.unread };
  }

  forget(window: PlaintextWindow): void {
    this.#handles.drop(window);
  }

  /** Closes all handles. */
  close(): void {
    this.#handles.clear();
  }

  #run(
    key: PlaintextWindow | number,
    handle: ZlibHandle,
    input: Uint8Array,
    flush: number,
    skipped: number,
    maxSize: number,
  ): Buffer {
    try {
      return handle.run(input, flush, skipped, maxSize);
    } catch (error) {
      this.#handles.drop(key);
      throw error;
    }
  }

  #deflater(options: DeflateOptions): ZlibHandle {
    const zlibOptions = deflateZlibOptions(options, options.window?.dictionary);
    return new ZlibHandle(this.#factory.createDeflateRaw({ ...zlibOptions, ...UNUSED_BUFFER }));
  }

  #inflater(windowBits: number): ZlibHandle {
    const zlibOptions = inflateZlibOptions(windowBits, undefined);
    return new ZlibHandle(this.#factory.createInflateRaw({ ...zlibOptions, ...UNUSED_BUFFER }));
  }

  /** Small inputs share memory, which zlib uses during the call only. */
  #inputOf(length: number): Buffer {
    if (length > SHARED_INPUT) return Buffer.allocUnsafeSlow(length);
    return (this.#input ??= Buffer.allocUnsafeSlow(SHARED_INPUT));
  }
}

/** More than zlib ever writes. It ends the loop should a runtime's handle report its output in another way. */
function maxDeflatedSize(size: number): number {
  return 2 * size + 1024;
}

/** The largest window and a message of some 30 KiB. */
const SHARED_INPUT = 64 * 1024;

/** Writes the bytes, up to 32 KiB, as a block without compression. */
function writeStored(target: Buffer, bytes: Uint8Array): void {
  target[0] = 0;
  target.writeUInt16LE(bytes.length, 1);
  target.writeUInt16LE(bytes.length ^ 0xffff, 3);
  target.set(bytes, STORED_HEADER);
}
