// Reports the frames of a stream to logs and diagnostics, in parallel to the code that processes them. It parses copies of
// the bytes, so it does not affect that code. Without an observer no mirror is created.

import { applyMask } from "./masking.js";
import { FrameParser, UNREADABLE_LENGTH, type FrameHandler } from "./frame-parser.js";
import type { ObservedFrame } from "../../shared/observed-frame.js";
import { FIN, OPCODE_BITS } from "../../shared/opcode.js";

/** The most bytes of a payload that are shown, so that observing large frames does not keep them in memory. */
const SHOWN_AT_MOST = 4096;
/** RFC 7692 section 6. */
const RSV1 = 0x40;

export class FrameMirror implements FrameHandler {
  readonly isDecoding = false;
  readonly #parser = new FrameParser(this);
  readonly #show: (frame: ObservedFrame) => void;
  /** Bytes still to come before the first frame: the response to the upgrade. */
  #preface: number;
  #firstByte = 0;
  #length = 0;
  #pieces: Uint8Array[] = [];
  #shown = 0;

  /** @param preface number of bytes before the first frame */
  constructor(show: (frame: ObservedFrame) => void, preface = 0) {
    this.#show = show;
    this.#preface = preface;
  }

  /** Processes a copy of the next bytes of the stream. */
  push(bytes: Uint8Array): void {
    const skipped = Math.min(this.#preface, bytes.length);
    this.#preface -= skipped;
    if (skipped < bytes.length) this.#parser.receive(Buffer.from(bytes.subarray(skipped)));
  }

  beginChunk(): void {
    // All chunks are copies.
  }

  /** A mirror never pauses, so no frame waits. */
  mayOvertake(): boolean {
    return false;
  }

  /** Accepts every frame, also invalid ones: those are the ones that people look for. */
  beginFrame(firstByte: number, _isMasked: boolean, length: number): boolean {
    this.#firstByte = firstByte;
    this.#length = length;
    this.#pieces = [];
    this.#shown = 0;
    if (length === UNREADABLE_LENGTH) this.endFrame(); // Its payload never ends.
    return true;
  }

  wholePayload(chunk: Buffer, start: number, end: number): void {
    this.payloadPiece(chunk, start, end, 0);
    this.endFrame();
  }

  payloadPiece(chunk: Buffer, start: number, end: number, key: number): void {
    const size = Math.min(end - start, SHOWN_AT_MOST - this.#shown);
    if (size <= 0) return;
    if (key !== 0) applyMask(chunk, start, start + size, key);
    this.#pieces.push(chunk.subarray(start, start + size));
    this.#shown += size;
  }

  endFrame(): void {
    const firstByte = this.#firstByte;
    const payload = new Uint8Array(this.#shown);
    let at = 0;
    for (const piece of this.#pieces) {
      payload.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    this.#show({
      opcode: firstByte & OPCODE_BITS,
      isFinal: (firstByte & FIN) !== 0,
      isCompressed: (firstByte & RSV1) !== 0,
      length: this.#length,
      payload,
    });
  }
}
