// Masking (RFC 6455 section 5.3): each byte is XORed with one of the key's four bytes in turn.
// A key is held as one number whose lowest byte is the first of the key.
//
// Every way of doing it finds out by the way whether what comes out is ASCII: text that is need not be looked at again.

import { createSimdCopy } from "./masking-simd.js";

/** Copies `source[start, end)` to `target` at `at`, masked; `source` and `target` may be the same at the same place. */
export type MaskingCopy = (
  source: Uint8Array,
  start: number,
  end: number,
  key: number,
  target: Uint8Array,
  at: number,
) => boolean;

/** Below this many bytes, a view of words for one payload alone costs more than it saves (about 100 ns a view). */
const WORDWISE_FROM = 128;

/** From here on the copies to and from WebAssembly are worth it. */
const SIMD_FROM = 1024;

/** A view for several payloads costs what it saves on three. */
const SHARED_FROM = 4;

const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Of the four bytes of a word, the bits that ASCII does not have. */
const HIGH_BITS = 0x80808080;

/** Masks or unmasks `bytes[start, end)` in place, and returns whether what comes out is ASCII. */
export function applyMask(bytes: Uint8Array, start: number, end: number, key: number): boolean {
  const length = end - start;
  if (length >= SIMD_FROM) return copyLarge(bytes, start, end, key, bytes, start);
  if (bytes !== viewed && bytes.length - start >= SHARED_FROM * length) viewAll(bytes);
  return bytes === viewed ? maskThroughView(view, start, end, key) : maskAlone(bytes, start, end, key);
}

function maskAlone(bytes: Uint8Array, start: number, end: number, key: number): boolean {
  const isShort = end - start < WORDWISE_FROM || !IS_LITTLE_ENDIAN;
  return (isShort ? maskBytewise : maskWordwise)(bytes, start, end, key);
}

/**
 * Copies `source[start, end)` to `target` at `at`, unmasked, and returns whether that is ASCII. The source is not to be
 * used again: it may be unmasked as well. A key of 0 is none: it is a copy, at which nobody has looked.
 */
export function copyUnmasked(
  source: Buffer,
  start: number,
  end: number,
  key: number,
  target: Uint8Array,
  at: number,
): boolean {
  if (key !== 0 && end - start >= SIMD_FROM) return copyLarge(source, start, end, key, target, at);
  const isAscii = key !== 0 && applyMask(source, start, end, key);
  source.copy(target, at, start, end);
  return isAscii;
}

/** Compiled for the first payload that is large enough. */
let copyLarge: MaskingCopy = (...operands) => {
  copyLarge = createSimdCopy() ?? copyAndMask;
  return copyLarge(...operands);
};

/** Where there is no SIMD. */
export const copyAndMask: MaskingCopy = (source, start, end, key, target, at) => {
  if (source !== target) target.set(source.subarray(start, end), at);
  return (IS_LITTLE_ENDIAN ? maskWordwise : maskBytewise)(target, at, at + end - start, key);
};

/** The plain way, which the others must equal. */
export function maskBytewise(bytes: Uint8Array, start: number, end: number, key: number): boolean {
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
  return (all & HIGH_BITS) === 0;
}

/** Words of the aligned middle, bytes at both ends: three times as fast as bytes on 4 KiB. */
export function maskWordwise(bytes: Uint8Array, start: number, end: number, key: number): boolean {
  const head = -(bytes.byteOffset + start) & 3;
  const aligned = start + head;
  const turned = rotateKey(key, head) | 0;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + aligned, (end - aligned) >>> 2);
  const length = words.length;
  let all = 0;
  let at = 0;
  for (const stop = length - 7; at < stop; at += 8) {
    all |= words[at] ^= turned;
    all |= words[at + 1] ^= turned;
    all |= words[at + 2] ^= turned;
    all |= words[at + 3] ^= turned;
    all |= words[at + 4] ^= turned;
    all |= words[at + 5] ^= turned;
    all |= words[at + 6] ^= turned;
    all |= words[at + 7] ^= turned;
  }
  for (; at < length; at++) all |= words[at] ^= turned;
  const isHeadAscii = maskBytewise(bytes, start, aligned, key);
  const isTailAscii = maskBytewise(bytes, aligned + length * 4, end, turned);
  return isHeadAscii && isTailAscii && (all & HIGH_BITS) === 0;
}

/**
 * Reads and writes words wherever they lie. The payloads of a chunk share one, and so do those that a client writes into
 * the slab.
 */
const NOTHING: DataView = new DataView(new ArrayBuffer(0));
let view: DataView = NOTHING;
let viewed: Uint8Array | null = null;

function viewAll(bytes: Uint8Array): void {
  view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  viewed = bytes;
}

/** Nothing more of `bytes` is to be masked: they need not be kept in memory. */
export function releaseView(bytes: Uint8Array): void {
  if (bytes !== viewed) return;
  view = NOTHING;
  viewed = null;
}

function maskThroughView(words: DataView, start: number, end: number, key: number): boolean {
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
  return (all & HIGH_BITS) === 0;
}

/** The key as seen by a byte that `phase` bytes of its payload came before: a payload may arrive in pieces. */
export function rotateKey(key: number, phase: number): number {
  const bits = (phase & 3) * 8;
  return bits === 0 ? key : (key >>> bits) | (key << (32 - bits));
}
