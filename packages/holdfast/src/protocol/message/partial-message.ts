// A message that arrives in several parts: in fragments, or in a frame that spans chunks. It is assembled, or delivered
// piece by piece.

import { applyMask } from "../frame/masking.js";
import { MessageBuffer } from "./message-buffer.js";
import { PieceDecoder, type PieceHandler } from "./piece-decoder.js";
import { Utf8Validator } from "./utf8.js";

export class PartialMessage {
  readonly #isText: boolean;
  readonly #isEncoded: boolean;
  readonly #assembly: MessageBuffer;
  #validator: Utf8Validator | null = null;
  /** Delivers the message piece by piece; null while it is assembled. */
  #pieces: PieceDecoder | null = null;

  /**
   * @param isEncoded by an extension: it can only be validated after decoding
   * @param limit the most bytes that will ever be assembled
   */
  constructor(isText: boolean, isEncoded: boolean, limit: number) {
    this.#isText = isText;
    this.#isEncoded = isEncoded;
    this.#assembly = new MessageBuffer(limit);
  }

  /** Whether it is delivered piece by piece. */
  get isStreamed(): boolean {
    return this.#pieces !== null;
  }

  /** Whether all parts so far were known to be ASCII, so that none had to be validated. */
  get isAscii(): boolean {
    return this.#validator === null;
  }

  /** Delivers everything piece by piece from now on, beginning with what was assembled. */
  streamTo(handler: PieceHandler): void {
    this.#pieces = new PieceDecoder(handler, this.#isText);
    if (this.#assembly.length > 0) this.#pieces.push(this.#assembly.take());
  }

  /**
   * Adds `chunk[start, end)`. Returns false if a text is not UTF-8.
   *
   * @param announced bytes that this call and the following ones will add together
   * @param key masking key to remove; 0 for none
   * @param isAscii false if that is not known
   */
  add(chunk: Buffer, start: number, end: number, announced: number, key: number, isAscii: boolean): boolean {
    if (this.#pieces !== null) {
      if (key !== 0) applyMask(chunk, start, end, key);
      return this.#pieces.push(chunk.subarray(start, end));
    }
    const wasSeen = this.#assembly.append(chunk, start, end, announced, key) || isAscii;
    // Section 8.1 allows failing the connection at the end of a message. Failing at the first bad byte of a long message
    // saves receiving the rest.
    if (!this.#isText || this.#isEncoded || (wasSeen && this.isAscii)) return true;
    this.#validator ??= new Utf8Validator();
    return this.#validator.push(this.#assembly.newest(end - start));
  }

  /** Ends a message that is delivered piece by piece. Returns false if a text is not UTF-8. */
  endPieces(): boolean {
    return this.#pieces?.end() ?? true;
  }

  /** The assembled message, which the caller then owns; null if it is a text and not UTF-8. */
  take(): Buffer | null {
    return this.#validator?.isComplete === false ? null : this.#assembly.take();
  }
}
