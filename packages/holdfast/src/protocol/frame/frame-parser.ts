// Splits bytes into frames (RFC 6455 section 5.2). It handles structure only: where a frame begins, how long it is, where
// its payload lies. The handler decides from the header whether the frame is allowed, before the parser reads any payload.

import { applyMask, releaseView, rotateKey } from "./masking.js";
import { CONTROL_BIT, MASK_BIT, MAX_HEADER_SIZE } from "../../shared/opcode.js";

/** The parser calls, for each frame: `beginFrame`, then either `wholePayload`, or `payloadPiece`s and `endFrame`. */
export interface FrameHandler {
  /** While true, the parser begins no frame, and received data waits for `resume`. */
  readonly isDecoding: boolean;
  /** A chunk arrived. If it `isShared`, the payloads passed next lie in memory that is valid during the call only. */
  beginChunk(isShared: boolean): void;
  /** Whether a frame may overtake waiting frames: true for a valid Ping or Pong. */
  mayOvertake(firstByte: number, isMasked: boolean, length: number, isLengthValid: boolean): boolean;
  /**
   * A header arrived. `length` is `UNREADABLE_LENGTH` if it exceeds 2^53 - 1; such a frame must not be accepted.
   * `isLengthValid` is true if the length was encoded correctly: in the shortest form and with a first bit of 0.
   * Returns false to skip the payload: the parser then makes no more calls for this frame.
   */
  beginFrame(firstByte: number, isMasked: boolean, length: number, isLengthValid: boolean): boolean;
  /** The frame's whole payload, unmasked, lies in `chunk[start, end)`. `isAscii` is false if that is not known. */
  wholePayload(chunk: Buffer, start: number, end: number, isAscii: boolean): void;
  /** The next piece of a payload that spans chunks, still masked with `key` (rotated to its first byte); 0 for no mask. */
  payloadPiece(chunk: Buffer, start: number, end: number, key: number): void;
  /** The payload is complete. */
  endFrame(): void;
}

/** Stands for a payload length that a JavaScript number cannot represent exactly. */
export const UNREADABLE_LENGTH = Infinity;

export class FrameParser {
  readonly #handler: FrameHandler;
  /** The part of a header that has arrived. Allocated on demand, since most connections never need it. */
  #partialHeader: Buffer | null = null;
  #partialLength = 0;

  // The newest header.
  #firstByte = 0;
  #isMasked = false;
  #isLengthValid = true;
  #length = 0;
  #key = 0;

  // The payload that spans chunks.
  #remaining = 0;
  #isSkipping = false;
  /** Data that was received while the handler was decoding or the parser was paused. */
  #rest: Buffer | null = null;
  #isPaused = false;
  /** How many bytes of `#rest` are known to hold only data frames. */
  #searched = 0;
  #isSearching = false;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /**
   * Processes the next bytes and reports the frames in them. The parser takes ownership of `bytes`, unmasks them in
   * place, and payloads may be views of them. If they are `isShared`, their memory is valid during the call only, and
   * payloads that outlive the call are copies.
   */
  receive(bytes: Uint8Array, isShared = false): void {
    const chunk = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    this.#handler.beginChunk(isShared);
    while (at < chunk.length && !this.#isPaused && !this.#handler.isDecoding) {
      at = this.#remaining > 0 ? this.#continuePayload(chunk, at) : this.#readFrame(chunk, at);
    }
    releaseView(chunk);
    if (at === chunk.length) return;
    const rest = chunk.subarray(at);
    this.#keepRest(isShared ? Buffer.from(rest) : rest);
  }

  /** Whether the bytes processed so far end with a whole frame, and none wait. */
  get isBetweenFrames(): boolean {
    return !this.isAmidFrame && this.#rest === null;
  }

  /** Whether a part of a frame was parsed whose rest has not arrived, or waits. */
  get isAmidFrame(): boolean {
    return this.#remaining > 0 || this.#partialLength > 0;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Holds everything after the current frame, except Pings and Pongs. */
  pause(): void {
    this.#isPaused = true;
    this.#serveControlFrames();
  }

  /** Ends the pause and continues with the held data. */
  unpause(): void {
    this.#isPaused = false;
    this.resume();
  }

  /** Continues with the waiting data, unless the parser is paused or the handler is still decoding. */
  resume(): void {
    const rest = this.#rest;
    if (rest === null || this.#isPaused || this.#isSearching || this.#handler.isDecoding) return;
    this.#rest = null;
    this.#searched = 0;
    this.receive(rest);
  }

  #keepRest(rest: Buffer): void {
    this.#rest = this.#rest === null ? rest : Buffer.concat([this.#rest, rest]);
    if (this.#isPaused) this.#serveControlFrames();
  }

  /**
   * Delivers the Pings and Pongs in the waiting data and removes them from it. Otherwise an application that reads
   * messages slowly would look dead, and would take its peer for dead. A Close or an invalid frame keeps its place.
   */
  #serveControlFrames(): void {
    const rest = this.#rest;
    if (rest === null || this.isAmidFrame || this.#isSearching || this.#handler.isDecoding) return;
    this.#isSearching = true;
    let from = this.#searched;
    let kept = from;
    for (;;) {
      const size = this.#parseHeader(rest, from, rest.length);
      const end = from + size + this.#length;
      if (size === 0 || end > rest.length) break;
      if (this.#handler.mayOvertake(this.#firstByte, this.#isMasked, this.#length, this.#isLengthValid)) {
        this.#beginPayload(rest, from + size);
      } else if ((this.#firstByte & CONTROL_BIT) === 0) {
        if (kept < from) rest.copyWithin(kept, from, end);
        kept += end - from;
      } else {
        break;
      }
      from = end;
    }
    releaseView(rest);
    if (kept < from) rest.copyWithin(kept, from);
    this.#rest = rest.subarray(0, rest.length - (from - kept));
    this.#searched = kept;
    this.#isSearching = false;
    this.resume(); // A listener may have resumed reading.
  }

  #readFrame(chunk: Buffer, start: number): number {
    let at = start;
    if (this.#partialLength > 0) {
      at = this.#completeHeader(chunk, at);
      if (this.#partialLength > 0) return at;
    } else {
      const size = this.#parseHeader(chunk, at, chunk.length);
      if (size === 0) return this.#keepPartialHeader(chunk, at);
      at += size;
    }
    return this.#beginPayload(chunk, at);
  }

  #beginPayload(chunk: Buffer, at: number): number {
    const length = this.#length;
    const isAccepted = this.#handler.beginFrame(this.#firstByte, this.#isMasked, length, this.#isLengthValid);
    const end = at + length;
    if (end > chunk.length || !isAccepted) {
      this.#remaining = length;
      // After an unreadable length, frame boundaries are unknown: skip everything that follows.
      this.#isSkipping = !isAccepted || length === UNREADABLE_LENGTH;
      return at;
    }
    const isAscii = this.#isMasked && applyMask(chunk, at, end, this.#key);
    this.#handler.wholePayload(chunk, at, end, isAscii);
    return end;
  }

  #continuePayload(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#remaining);
    if (!this.#isSkipping) {
      const key = this.#isMasked ? rotateKey(this.#key, this.#length - this.#remaining) : 0;
      this.#handler.payloadPiece(chunk, at, end, key);
    }
    this.#remaining -= end - at;
    if (this.#remaining === 0 && !this.#isSkipping) this.#handler.endFrame();
    return end;
  }

  /** Reads a header at `at`; returns its size, or 0 if it is not complete before `end`. */
  #parseHeader(bytes: Buffer, at: number, end: number): number {
    if (end - at < 2) return 0;
    const second = bytes[at + 1];
    const isMasked = (second & MASK_BIT) !== 0;
    const shortLength = second & 0x7f;
    const lengthEnd = at + (shortLength < 126 ? 2 : shortLength === 126 ? 4 : 10);
    const size = lengthEnd - at + (isMasked ? 4 : 0);
    if (end - at < size) return 0;

    this.#firstByte = bytes[at];
    this.#isMasked = isMasked;
    this.#isLengthValid = true;
    this.#length = shortLength;
    if (shortLength === 126) {
      this.#length = (bytes[at + 2] << 8) | bytes[at + 3];
      this.#isLengthValid = this.#length > 125;
    } else if (shortLength === 127) {
      const high = bytes.readUInt32BE(at + 2);
      this.#length = high > 0x1fffff ? UNREADABLE_LENGTH : high * 0x1_0000_0000 + bytes.readUInt32BE(at + 6);
      this.#isLengthValid = this.#length > 0xffff && high < 0x8000_0000;
    }
    if (isMasked) {
      this.#key =
        bytes[lengthEnd] |
        (bytes[lengthEnd + 1] << 8) |
        (bytes[lengthEnd + 2] << 16) |
        (bytes[lengthEnd + 3] << 24);
    }
    return size;
  }

  #keepPartialHeader(chunk: Buffer, at: number): number {
    this.#partialHeader ??= Buffer.allocUnsafeSlow(MAX_HEADER_SIZE);
    this.#partialLength = chunk.copy(this.#partialHeader, 0, at);
    return chunk.length;
  }

  /** Adds bytes to the partial header one by one until it parses; returns the offset after the header. */
  #completeHeader(chunk: Buffer, start: number): number {
    const header = (this.#partialHeader ??= Buffer.allocUnsafeSlow(MAX_HEADER_SIZE));
    for (let at = start; at < chunk.length;) {
      header[this.#partialLength++] = chunk[at++];
      if (this.#parseHeader(header, 0, this.#partialLength) > 0) {
        this.#partialLength = 0;
        return at;
      }
    }
    return chunk.length;
  }
}
