// Bytes to frames (RFC 6455 section 5.2). Structure only: where a frame begins, how long it is, where its payload lies.
// Whether the frame may come now is for the sink to judge, before any payload is looked at.

import { applyMask, releaseView, rotateKey } from "./masking.js";
import { CONTROL_BIT, MASK_BIT, MAX_HEADER_SIZE } from "../../shared/opcode.js";

/** What the parser calls, in this order: `beginFrame`, then `wholePayload`, or `payloadPiece`s and `endFrame`. */
export interface FrameHandler {
  /** While true, no frame is begun: what was received waits for `resume`. */
  readonly isDecoding: boolean;
  /** Set by the parser: whether what it tells next lies in memory that is good for the time of the call only. */
  isShared: boolean;
  /** Whether a frame may be told before frames that wait: a Ping or Pong that breaks no rule. */
  mayOvertake(firstByte: number, isMasked: boolean, length: number, isLengthValid: boolean): boolean;
  /**
   * A header arrived. `length` is `UNREADABLE_LENGTH` where it exceeds 2^53 - 1; such a frame must not be accepted.
   * `isLengthValid` tells whether it was encoded as it must be: in the shortest form, and with a first bit of 0.
   * Returns false for a payload to be skipped: nothing more is told of this frame.
   */
  beginFrame(firstByte: number, isMasked: boolean, length: number, isLengthValid: boolean): boolean;
  /** The frame's whole payload, unmasked, lies in `chunk[start, end)`. `isAscii` is false where nobody has looked. */
  wholePayload(chunk: Buffer, start: number, end: number, isAscii: boolean): void;
  /** The next piece of a payload that spans chunks, as it came: `key` unmasks it from its first byte on; 0 for none. */
  payloadPiece(chunk: Buffer, start: number, end: number, key: number): void;
  /** The last piece was told. */
  endFrame(): void;
}

/** Stands for a payload length that no number of JavaScript holds exactly. */
export const UNREADABLE_LENGTH = Infinity;

export class FrameParser {
  readonly #sink: FrameHandler;
  /** A header of which only a part has arrived; kept small and made on demand, since most never need it. */
  #partialHeader: Buffer | null = null;
  #partialLength = 0;

  // The header read last.
  #firstByte = 0;
  #isMasked = false;
  #isLengthValid = true;
  #length = 0;
  #key = 0;

  // The payload that spans chunks.
  #remaining = 0;
  #isSkipping = false;
  /** What was received while the sink was held, or the parser paused. */
  #rest: Buffer | null = null;
  #isPaused = false;
  /** How far into the rest there are only data frames. */
  #searched = 0;
  #isSearching = false;

  constructor(sink: FrameHandler) {
    this.#sink = sink;
  }

  /** Takes the next bytes, and unmasks them in place. The parser owns `chunk`, unless it `isLent` for this call. */
  receive(chunk: Buffer, isLent = false): void {
    let at = 0;
    this.#sink.isShared = isLent;
    while (at < chunk.length && !this.#isPaused && !this.#sink.isDecoding) {
      at = this.#remaining > 0 ? this.#continuePayload(chunk, at) : this.#readFrame(chunk, at);
    }
    releaseView(chunk);
    if (at === chunk.length) return;
    const rest = chunk.subarray(at);
    this.#keepRest(isLent ? Buffer.from(rest) : rest);
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Holds back what comes behind the present frame, and what arrives, but for Pings and Pongs in it. */
  pause(): void {
    this.#isPaused = true;
    this.#serveControlFrames();
  }

  /** Ends the pause, and goes on with what was held back. */
  unpause(): void {
    this.#isPaused = false;
    this.resume();
  }

  /** Goes on with what was received meanwhile, unless something still holds it back. */
  resume(): void {
    const rest = this.#rest;
    if (rest === null || this.#isPaused || this.#isSearching || this.#sink.isDecoding) return;
    this.#rest = null;
    this.#searched = 0;
    this.receive(rest);
  }

  #keepRest(rest: Buffer): void {
    this.#rest = this.#rest === null ? rest : Buffer.concat([this.#rest, rest]);
    if (this.#isPaused) this.#serveControlFrames();
  }

  /**
   * Tells the Pings and Pongs in what waits, and takes them out: a slow reader of messages must not look dead, nor take
   * its peer for dead. A Close, or what is no good, keeps its place.
   */
  #serveControlFrames(): void {
    const rest = this.#rest;
    const isWithinFrame = this.#remaining > 0 || this.#partialLength > 0;
    if (rest === null || isWithinFrame || this.#isSearching || this.#sink.isDecoding) return;
    this.#isSearching = true;
    let from = this.#searched;
    let kept = from;
    for (;;) {
      const size = this.#parseHeader(rest, from, rest.length);
      const end = from + size + this.#length;
      if (size === 0 || end > rest.length) break;
      if (this.#sink.mayOvertake(this.#firstByte, this.#isMasked, this.#length, this.#isLengthValid)) {
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
    this.resume(); // A listener may have made room.
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
    const isAccepted = this.#sink.beginFrame(this.#firstByte, this.#isMasked, length, this.#isLengthValid);
    const end = at + length;
    if (end > chunk.length || !isAccepted) {
      this.#remaining = length;
      // After a length that cannot be counted the boundaries of frames are lost: all that follows is skipped.
      this.#isSkipping = !isAccepted || length === UNREADABLE_LENGTH;
      return at;
    }
    const isAscii = this.#isMasked && applyMask(chunk, at, end, this.#key);
    this.#sink.wholePayload(chunk, at, end, isAscii);
    return end;
  }

  #continuePayload(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#remaining);
    if (!this.#isSkipping) {
      const key = this.#isMasked ? rotateKey(this.#key, this.#length - this.#remaining) : 0;
      this.#sink.payloadPiece(chunk, at, end, key);
    }
    this.#remaining -= end - at;
    if (this.#remaining === 0 && !this.#isSkipping) this.#sink.endFrame();
    return end;
  }

  /** Reads a header at `at`; returns its size, or 0 where it is not complete before `end`. */
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

  /** Adds bytes to the partial header, one at a time, until it parses; returns where the chunk goes on. */
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
