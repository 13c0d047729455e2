// Masking (RFC 6455 section 5.3): each byte is XORed with one of the key's four bytes in turn.
// A key is one number whose lowest byte is the first byte of the key.
//
// Every implementation also detects whether the result is ASCII, which spares the validation of that text as UTF-8.

import { createSimdCopy } from "./masking-simd.js";

/**
 * Copies `source[start, end)` to `target` at `at`, masked; both may be the same memory at the same offset.
 * Returns whether the result is ASCII.
 */
export type MaskingCopy = (
  source: Uint8Array,
  start: number,
  end: number,
  key: number,
  target: Uint8Array,
  at: number,
) => boolean;

/** Below this many bytes, a view of words for a single payload costs more than it saves (about 100 ns per view). */
const WORDWISE_FROM = 128;

/** From this many bytes, WebAssembly is faster in spite of the copies to and from its memory. */
const SIMD_FROM = 1024;

/** A view shared by several payloads pays off if there are at least four: it costs as much as it saves on three. */
const SHARED_FROM = 4;

const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** The highest bit of each byte of a word, which ASCII never sets. */
const HIGH_BITS = 0x80808080;

/** Masks or unmasks `bytes[start, end)` in place, and returns whether the result is ASCII. */
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
 * Copies `source[start, end)` to `target` at `at`, unmasked, and returns whether it is known to be ASCII. Do not use the
 * source afterwards: it may have been unmasked in place. A key of 0 makes a plain copy, which is not checked for ASCII.
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

/** Compiles the WebAssembly module for the first payload that is large enough. */
let copyLarge: MaskingCopy = (...operands) => {
  copyLarge = createSimdCopy() ?? copyAndMask;
  return copyLarge(...operands);
};

/** The fallback without SIMD. */
export const copyAndMask: MaskingCopy = (source, start, end, key, target, at) => {
  if (source !== target) target.set(source.subarray(start, end), at);
  return (IS_LITTLE_ENDIAN ? maskWordwise : maskBytewise)(target, at, at + end - start, key);
};

/** The plain implementation; a property test compares the others with it. */
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

/** Masks the aligned middle by words and both ends by bytes: three times as fast as bytes only, for 4 KiB. */
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
 * A view for unaligned words. The payloads of a received chunk share it, and so do those that a client writes into the
 * same memory.
 */
const NOTHING: DataView = new DataView(new ArrayBuffer(0));
let view: DataView = NOTHING;
let viewed: Uint8Array | null = null;

function viewAll(bytes: Uint8Array): void {
  view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  viewed = bytes;
}

/** Releases the view of `bytes` once all of their payloads are masked, so that it does not keep them in memory. */
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

/** The key rotated for the byte at offset `phase` of a payload, which may arrive in pieces. */
export function rotateKey(key: number, phase: number): number {
  const bits = (phase & 3) * 8;
  return bits === 0 ? key : (key >>> bits) | (key << (32 - bits));
}
