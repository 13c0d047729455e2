// Collects the bytes of a request's or response's head until it is complete, within limits.

import { Buffer } from "node:buffer";
import type { HeadFailure, HeadLimits } from "./head-failure.js";
import { HeadScanner } from "./head-scanner.js";
import { HeaderList } from "./header-list.js";

/** The head of a request or a response; request-head.ts and response-head.ts parse its start line. */
export interface Head {
  readonly startLine: string;
  readonly headers: HeaderList;
}

/** A complete head and the bytes after it, or a failure. */
export type HeadResult =
  | {
      readonly outcome: "head";
      readonly head: Head;
      /** The bytes of the last chunk after the head: a view, not a copy. */
      readonly rest: Uint8Array;
    }
  | HeadFailure;

/**
 * Collects bytes until a head is complete. It takes linear time however the bytes are split, and keeps at most `maxSize`
 * of them. After a head it reads the next one, since an interim response (RFC 9110 section 15.2) is followed by another.
 * After a failure it stays failed.
 */
export class HeadReader {
  readonly #limits: HeadLimits;
  readonly #acceptsFolding: boolean;
  #scanner: HeadScanner;
  #held: Buffer = NOTHING;
  #heldLength = 0;

  /** @param acceptsFolding whether a field may continue on the next line, as in responses (RFC 9112 section 5.2) */
  constructor(limits: HeadLimits, acceptsFolding = false) {
    this.#limits = limits;
    this.#acceptsFolding = acceptsFolding;
    this.#scanner = new HeadScanner(limits, acceptsFolding);
  }

  push(chunk: Uint8Array): "incomplete" | HeadResult {
    const consumed = this.#scanner.scan(chunk);
    if (this.#scanner.failure !== null) {
      this.#held = NOTHING;
      return this.#scanner.failure;
    }
    if (!this.#scanner.isComplete) {
      this.#hold(chunk);
      return "incomplete";
    }
    return { outcome: "head", head: this.#finish(chunk, consumed), rest: chunk.subarray(consumed) };
  }

  #finish(chunk: Uint8Array, consumed: number): Head {
    const { startLine, fields, hasFolds } = this.#scanner;
    let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, consumed);
    if (this.#heldLength > 0) {
      this.#hold(bytes);
      bytes = this.#held.subarray(0, this.#heldLength);
    }
    this.#scanner = new HeadScanner(this.#limits, this.#acceptsFolding);
    this.#held = NOTHING;
    this.#heldLength = 0;
    // Make one string of the whole head without the blank line; names and values are slices of it.
    const received = bytes.toString("latin1", startLine, bytes.length - CRLF_LENGTH);
    const text = hasFolds ? received.replaceAll(FOLD, " ") : received;
    const fieldsStart = fields - startLine;
    return {
      startLine: text.slice(0, fieldsStart - CRLF_LENGTH),
      headers: new HeaderList(text, fieldsStart),
    };
  }

  /** Appends bytes. The memory doubles when it is full, so that appending one byte takes constant time on average. */
  #hold(bytes: Uint8Array): void {
    const length = this.#heldLength + bytes.length;
    if (length > this.#held.length) {
      const room = Buffer.allocUnsafeSlow(
        Math.min(this.#limits.maxSize, Math.max(length, 2 * this.#held.length, 256)),
      );
      room.set(this.#held.subarray(0, this.#heldLength));
      this.#held = room;
    }
    this.#held.set(bytes, this.#heldLength);
    this.#heldLength = length;
  }
}

const NOTHING = Buffer.alloc(0);
const CRLF_LENGTH = 2;
/** The start line cannot contain a fold. */
const FOLD = /\r\n[ \t]+/g;
