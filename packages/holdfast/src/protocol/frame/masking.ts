// Masking (RFC 6455 section 5.3): each byte is XORed with one of the key's four bytes in turn.
// A key is held as one number whose lowest byte is the first of the key.

import { createSimdMask, type Mask } from "./masking-simd.js";

/** Below this many bytes, making a view of words costs more than it saves (measured: about 100 ns a view). */
const WORDWISE_FROM = 128;

/** From here on the copies to and from WebAssembly are worth it. */
const SIMD_FROM = 1024;

const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/**
 * Masks or unmasks `bytes[start, end)` in place.
 * `phase` is how many bytes of this payload came before: a payload may arrive in pieces.
 */
export function applyMask(bytes: Uint8Array, start: number, end: number, key: number, phase: number): void {
  if (key === 0) return;
  const turned = rotateKey(key, phase);
  if (end - start >= SIMD_FROM) maskLarge(bytes, start, end, turned);
  else if (end - start < WORDWISE_FROM || !IS_LITTLE_ENDIAN) maskBytewise(bytes, start, end, turned);
  else maskWordwise(bytes, start, end, turned);
}

/** Compiled for the first payload that is large enough. */
let maskLarge: Mask = (bytes, start, end, key) => {
  maskLarge = createSimdMask() ?? (IS_LITTLE_ENDIAN ? maskWordwise : maskBytewise);
  maskLarge(bytes, start, end, key);
};

/** The plain way, which the others must equal. */
export function maskBytewise(bytes: Uint8Array, start: number, end: number, key: number): void {
  const first = key & 0xff;
  const second = (key >>> 8) & 0xff;
  const third = (key >>> 16) & 0xff;
  const fourth = key >>> 24;
  let at = start;
  for (const stop = end - 3; at < stop; at += 4) {
    bytes[at] ^= first;
    bytes[at + 1] ^= second;
    bytes[at + 2] ^= third;
    bytes[at + 3] ^= fourth;
  }
  if (at < end) bytes[at] ^= first;
  if (at + 1 < end) bytes[at + 1] ^= second;
  if (at + 2 < end) bytes[at + 2] ^= third;
}

/** Words of the aligned middle, bytes at both ends: three times as fast as bytes on 4 KiB. */
export function maskWordwise(bytes: Uint8Array, start: number, end: number, key: number): void {
  const head = -(bytes.byteOffset + start) & 3;
  maskBytewise(bytes, start, start + head, key);
  const aligned = start + head;
  const turned = rotateKey(key, head) | 0;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + aligned, (end - aligned) >>> 2);
  const length = words.length;
  let at = 0;
  for (const stop = length - 7; at < stop; at += 8) {
    words[at] ^= turned;
    words[at + 1] ^= turned;
    words[at + 2] ^= turned;
    words[at + 3] ^= turned;
    words[at + 4] ^= turned;
    words[at + 5] ^= turned;
    words[at + 6] ^= turned;
    words[at + 7] ^= turned;
  }
  for (; at < length; at++) words[at] ^= turned;
  maskBytewise(bytes, aligned + length * 4, end, turned);
}

/** The key as seen by a byte that `phase` bytes came before. */
function rotateKey(key: number, phase: number): number {
  const bits = (phase & 3) * 8;
  return bits === 0 ? key : (key >>> bits) | (key << (32 - bits));
}

/** Masking keys from a pool of random bytes: a system call per key would cost a hundred times as much. */
export class MaskKeys {
  readonly #fill: (target: Uint8Array) => void;
  readonly #pool = new Uint8Array(8192);
  readonly #words = new DataView(this.#pool.buffer);
  #at = this.#pool.length;

  /** @param fill fills the whole target with unpredictable bytes (RFC 6455 section 10.3) */
  constructor(fill: (target: Uint8Array) => void) {
    this.#fill = fill;
  }

  next(): number {
    if (this.#at === this.#pool.length) {
      this.#fill(this.#pool);
      this.#at = 0;
    }
    const key = this.#words.getUint32(this.#at, true);
    this.#at += 4;
    return key;
  }
}
