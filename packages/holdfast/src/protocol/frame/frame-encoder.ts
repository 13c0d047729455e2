// Encodes frames (RFC 6455 section 5.2), directly into memory that the caller owns: an allocation per frame would be the
// second largest cost of sending small messages.

import { writeLatin1, writeUtf8 } from "../text-calls.js";
import type { MaskKeys } from "./mask-keys.js";
import { applyMask } from "./masking.js";
import { FIN, MASK_BIT, MAX_HEADER_SIZE, TEXT } from "../../shared/opcode.js";

/** Frames of up to this many bytes use Node's pool of 8 KiB blocks. They are mostly control frames. */
const POOLED_UP_TO = 256;

/** From this many characters, counting the bytes of a text before writing it pays off (measured on Node 20). */
const COUNT_FROM = 1024;

export class FrameEncoder {
  /** A client masks every frame; null for a server, which masks none (section 5.1). */
  readonly #maskKeys: MaskKeys | null;

  constructor(maskKeys: MaskKeys | null) {
    this.#maskKeys = maskKeys;
  }

  get isMasking(): boolean {
    return this.#maskKeys !== null;
  }

  /** The size of a frame with a payload of `length` bytes. */
  frameSize(length: number): number {
    return this.#headerSize(length) + length;
  }

  /** The size of the payload of a frame with `size` bytes. */
  payloadSize(size: number): number {
    const short = size - this.#headerSize(0);
    if (short < 126) return short;
    return short < 0x1_0002 ? short - 2 : short - 8;
  }

  /** The maximum size of a text frame with `length` UTF-16 code units, each of up to three bytes. */
  maxTextFrameSize(length: number): number {
    return MAX_HEADER_SIZE + length * 3;
  }

  /**
   * Writes a whole text message as one frame at `at`; returns the end offset.
   * `target` must have room for `maxTextFrameSize`. Lone surrogates become U+FFFD, as in `TextEncoder`.
   */
  writeText(target: Buffer, at: number, text: string): number {
    if (text.length >= COUNT_FROM) return this.#writeCounted(target, at, text, Buffer.byteLength(text));
    // Most text is ASCII, with one byte per character. If that guess is wrong and the header needs more room, move the
    // bytes.
    const guessed = this.#headerSize(text.length);
    const length = writeUtf8(target, text, at + guessed);
    const actual = this.#headerSize(length);
    if (actual !== guessed) target.copyWithin(at + actual, at + guessed, at + guessed + length);
    return this.#finish(target, at, FIN | TEXT, length);
  }

  /** Writes a frame with a copy of `payload` at `at`; returns the end offset. */
  writeFrame(target: Buffer, at: number, firstByte: number, payload: Uint8Array): number {
    target.set(payload, at + this.#headerSize(payload.length));
    return this.#finish(target, at, firstByte, payload.length);
  }

  /** Writes only the header; the caller writes the payload, unmasked. For servers only. */
  writeHeader(target: Buffer, at: number, firstByte: number, length: number): number {
    return this.#putHeader(target, at, firstByte, length, 0);
  }

  /** Allocates a text message as one frame, without an intermediate copy. */
  textFrame(text: string): Buffer {
    const length = Buffer.byteLength(text);
    const bytes = Buffer.allocUnsafeSlow(this.frameSize(length));
    this.#writeCounted(bytes, 0, text, length);
    return bytes;
  }

  /** Allocates a frame: for control frames and queued messages, which are off the fast path. */
  frame(firstByte: number, payload: Uint8Array): Buffer {
    const size = this.frameSize(payload.length);
    // Node's pool serves small frames: a separate allocation costs ten times as much as the frame of a ping.
    const bytes = size <= POOLED_UP_TO ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size);
    this.writeFrame(bytes, 0, firstByte, payload);
    return bytes;
  }

  #writeCounted(target: Buffer, at: number, text: string, length: number): number {
    // As many bytes as characters means ASCII, which the Latin-1 writer handles twice as fast.
    const write = length === text.length ? writeLatin1 : writeUtf8;
    write(target, text, at + this.#headerSize(length));
    return this.#finish(target, at, FIN | TEXT, length);
  }

  /** Writes the header in front of a payload that is already in place, and masks the payload. */
  #finish(target: Buffer, at: number, firstByte: number, length: number): number {
    const key = this.#maskKeys?.next() ?? 0;
    const start = this.#putHeader(target, at, firstByte, length, key);
    if (this.#maskKeys !== null) applyMask(target, start, start + length, key);
    return start + length;
  }

  #headerSize(length: number): number {
    return (length < 126 ? 2 : length < 0x1_0000 ? 4 : 10) + (this.#maskKeys === null ? 0 : 4);
  }

  #putHeader(target: Buffer, at: number, firstByte: number, length: number, key: number): number {
    const maskBit = this.#maskKeys === null ? 0 : MASK_BIT;
    let next = at;
    target[next++] = firstByte;
    if (length < 126) {
      target[next++] = maskBit | length;
    } else if (length < 0x1_0000) {
      target[next++] = maskBit | 126;
      target[next++] = length >>> 8;
      target[next++] = length;
    } else {
      target[next++] = maskBit | 127;
      next = target.writeUInt32BE(Math.floor(length / 0x1_0000_0000), next);
      next = target.writeUInt32BE(length >>> 0, next);
    }
    if (maskBit === 0) return next;
    target[next++] = key;
    target[next++] = key >>> 8;
    target[next++] = key >>> 16;
    target[next++] = key >>> 24;
    return next;
  }
}
