// Unmasking of whole payloads (RFC 6455 section 5.3). That of short ones finds out on the way whether they are ASCII:
// text that is known to be can be decoded as Latin-1, and need not be looked at again.

import { applyMask } from "./masking.js";

/** From here on SIMD is faster. */
const SIMD_FROM = 1024;

/** From here on, one payload alone is better unmasked by `applyMask`. */
const ALONE_UP_TO = 256;

/** A view costs as much as it saves on three short payloads. */
const WORTH_A_VIEW = 4;

/** Reads and writes words wherever they lie. All the payloads of a chunk share one. */
let view: DataView | null = null;
let viewed: Buffer | null = null;

/** Unmasks a whole payload, `chunk[start, end)`, in place; returns whether it is known to be ASCII. */
export function unmask(chunk: Buffer, start: number, end: number, key: number): boolean {
  const length = end - start;
  if (length < SIMD_FROM) {
    if (chunk !== viewed && chunk.length - start >= WORTH_A_VIEW * length) look(chunk);
    if (chunk === viewed && view !== null) return unmaskWords(view, start, end, key);
    if (length < ALONE_UP_TO) return unmaskBytes(chunk, start, end, key);
  }
  applyMask(chunk, start, end, key, 0);
  return false;
}

function look(chunk: Buffer): void {
  view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
  viewed = chunk;
}

/** No more is to come of the chunk, which is not to be kept in memory. */
export function leaveChunk(): void {
  viewed = null;
  view = null;
}

function unmaskBytes(bytes: Uint8Array, start: number, end: number, key: number): boolean {
  const first = key & 0xff;
  const second = (key >>> 8) & 0xff;
  const third = (key >>> 16) & 0xff;
  const fourth = key >>> 24;
  let all = 0;
  let at = start;
  for (const stop = end - 3; at < stop; at += 4) {
    all |= bytes[at] ^= first;
    all |= bytes[at + 1] ^= second;
    all |= bytes[at + 2] ^= third;
    all |= bytes[at + 3] ^= fourth;
  }
  if (at < end) all |= bytes[at] ^= first;
  if (at + 1 < end) all |= bytes[at + 1] ^= second;
  if (at + 2 < end) all |= bytes[at + 2] ^= third;
  return all < 0x80;
}

function unmaskWords(words: DataView, start: number, end: number, key: number): boolean {
  let all = 0;
  let at = start;
  for (const stop = end - 3; at < stop; at += 4) {
    const word = words.getInt32(at, true) ^ key;
    words.setInt32(at, word, true);
    all |= word;
  }
  for (let rest = key; at < end; at++, rest >>>= 8) {
    const byte = words.getUint8(at) ^ (rest & 0xff);
    words.setUint8(at, byte);
    all |= byte;
  }
  return (all & 0x80808080) === 0;
}
