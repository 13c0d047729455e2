// Converts between kinds of byte arrays. All functions share the memory, except `copyOf`. Empty messages have memory of
// their own: some of them come from a constant.

import { TextBytes } from "../../shared/text-bytes.js";

/** A plain `Uint8Array`, as in browsers, over the same memory. */
export function viewOf(bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array {
  return end === start
    ? new Uint8Array(0)
    : new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}

/** The same for text that is delivered as bytes. */
export function textBytesOf(bytes: Uint8Array): TextBytes {
  const memory = bytes.buffer as ArrayBuffer; // Chunks never arrive in a SharedArrayBuffer.
  return bytes.length === 0 ? new TextBytes(0) : new TextBytes(memory, bytes.byteOffset, bytes.length);
}

/** For control payloads, which are small and outlive their chunk: a view would keep the whole chunk in memory. */
export function copyOf(bytes: Buffer, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
