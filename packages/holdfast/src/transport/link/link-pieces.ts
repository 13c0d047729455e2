// Delivers a message piece by piece on a link. A message of the link protocol is collected and handled as a
// whole; pieces of any other message are passed on as they arrive.

import type { Piece, PieceHandler } from "../../protocol/message/piece-decoder.js";
import { isCarrier, MARK, MAX_LINK_MESSAGE } from "./link-message.js";
import { LongText } from "./long-text.js";

/** Consumer of complete messages. */
export interface WholeMessages {
  /** The most bytes of a whole message. */
  readonly maxMessageSize: number;
  onMessage(message: string): void;
  streamTo(handler: PieceHandler): void;
  /** The last piece of a message was delivered; no more follow. */
  onPiecesEnded(): void;
  /** A message is too large to be handled as a whole. */
  onTooLarge(size: number): void;
}

export class LinkPieces implements PieceHandler {
  readonly #handler: PieceHandler;
  readonly #layer: WholeMessages;
  /** The beginning of a message that may belong to the link protocol; null once it is known not to. */
  #held: string | null = "";
  /** A message that may be longer than others of the link protocol; null for none. */
  #long: LongText | null = null;
  #isTooLarge = false;

  constructor(handler: PieceHandler, layer: WholeMessages) {
    this.#handler = handler;
    this.#layer = layer;
  }

  get maxSize(): number | undefined {
    return this.#handler.maxSize;
  }

  onPiece(piece: Piece): void {
    if (this.#long !== null && typeof piece === "string") {
      this.#collect(this.#long, piece);
      return;
    }
    if (this.#held === null || typeof piece !== "string") {
      this.#held = null;
      this.#handler.onPiece(piece);
      return;
    }
    const text = this.#held + piece;
    if (!text.startsWith(MARK)) this.#release(text);
    else if (text.startsWith(MARK + MARK)) this.#release(text.slice(1));
    else if (isCarrier(text)) this.#collect((this.#long = new LongText()), text);
    // A longer message is rejected when it ends.
    else this.#held = text.slice(0, MAX_LINK_MESSAGE + 1);
  }

  onLastPiece(): void {
    if (this.#isTooLarge) return;
    const held = this.#long?.toString() ?? this.#held;
    if (held === null || held === "") {
      this.#layer.onPiecesEnded();
      this.#handler.onLastPiece();
      return;
    }
    this.#layer.streamTo(this.#handler); // The requested message has not arrived yet.
    this.#layer.onMessage(held);
  }

  /** `maxSize` is the reader's limit, and does not apply: the message is not for it. */
  #collect(long: LongText, piece: string): void {
    if (this.#isTooLarge) return;
    if (long.length + piece.length <= this.#layer.maxMessageSize) {
      long.add(piece);
      return;
    }
    this.#isTooLarge = true;
    this.#long = new LongText();
    this.#layer.onTooLarge(long.length + piece.length);
  }

  #release(text: string): void {
    this.#held = null;
    if (text !== "") this.#handler.onPiece(text);
  }
}
