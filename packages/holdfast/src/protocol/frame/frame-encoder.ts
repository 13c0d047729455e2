// Frames to bytes (RFC 6455 section 5.2), written straight into memory that the caller owns: an allocation per
// frame is the second largest cost of sending small messages.

import { writeLatin1, writeUtf8 } from "../text-calls.js";
import type { MaskKeys } from "./mask-keys.js";
import { applyMask } from "./masking.js";
import { FIN, MASK_BIT, MAX_HEADER_SIZE, TEXT } from "../../shared/opcode.js";

/** Frames that live in memory which Node shares out, 8 KiB at a time: those of control frames, for the most part. */
const POOLED_UP_TO = 256;

/** From here on it pays to count the bytes of a text before they are written (measured on Node 20). */
const COUNT_FROM = 1024;

export class FrameEncoder {
  /** Keys for a client, which masks every frame; null for a server, which masks none (section 5.1). */
  readonly #maskKeys: MaskKeys | null;

  constructor(maskKeys: MaskKeys | null) {
    this.#maskKeys = maskKeys;
  }

  get isMasking(): boolean {
    return this.#maskKeys !== null;
  }

  /** Bytes that a frame of a payload of `length` bytes takes. */
  frameSize(length: number): number {
    return this.#headerSize(length) + length;
  }

  /** Bytes that a text frame of `length` UTF-16 code units takes at most: three bytes for each. */
  maxTextFrameSize(length: number): number {
    return MAX_HEADER_SIZE + length * 3;
  }

  /**
   * Writes a whole text message as one frame at `at`; returns where it ends.
   * `target` must have room for `maxTextFrameSize`. Lone surrogates become U+FFFD, as in `TextEncoder`.
   */
  writeText(target: Buffer, at: number, text: string): number {
    if (text.length >= COUNT_FROM) return this.#writeCounted(target, at, text, Buffer.byteLength(text));
    // Most text is ASCII, so its length is that of its bytes; where that guess is wrong and the header
    // needs more room, the bytes move.
    const guessed = this.#headerSize(text.length);
    const length = writeUtf8(target, text, at + guessed);
    const actual = this.#headerSize(length);
    if (actual !== guessed) target.copyWithin(at + actual, at + guessed, at + guessed + length);
    return this.#finish(target, at, FIN | TEXT, length);
  }

  /** Writes a frame with a copy of `payload` at `at`; returns where it ends. */
  writeFrame(target: Buffer, at: number, firstByte: number, payload: Uint8Array): number {
    target.set(payload, at + this.#headerSize(payload.length));
    return this.#finish(target, at, firstByte, payload.length);
  }

  /** Writes the header of a frame whose payload follows elsewhere, unmasked: for servers only. */
  writeHeader(target: Buffer, at: number, firstByte: number, length: number): number {
    return this.#putHeader(target, at, firstByte, length, 0);
  }

  /** A text message as one frame in memory of its own, without a copy in between. */
  textFrame(text: string): Buffer {
    const length = Buffer.byteLength(text);
    const bytes = Buffer.allocUnsafeSlow(this.frameSize(length));
    this.#writeCounted(bytes, 0, text, length);
    return bytes;
  }

  /** A frame in memory of its own: the plain way, for control frames and for the backlog. */
  frame(firstByte: number, payload: Uint8Array): Buffer {
    const size = this.frameSize(payload.length);
    // Node's pool: memory of its own costs ten times as much as the frame of a ping.
    const bytes = size <= POOLED_UP_TO ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size);
    this.writeFrame(bytes, 0, firstByte, payload);
    return bytes;
  }

  #writeCounted(target: Buffer, at: number, text: string, length: number): number {
    // As many bytes as characters: ASCII, which Latin-1 writes as well, and twice as fast.
    const write = length === text.length ? writeLatin1 : writeUtf8;
    write(target, text, at + this.#headerSize(length));
    return this.#finish(target, at, FIN | TEXT, length);
  }

  /** Puts the header before a payload that is already in place, and masks the payload. */
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
