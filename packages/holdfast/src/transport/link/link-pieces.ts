// Delivers a message piece by piece on a link. A message of the link protocol is collected and handled as a
// whole; pieces of any other message are passed on as they arrive.

import type { Piece, PieceHandler } from "../../protocol/message/piece-decoder.js";
import { hasAllowedLength, MARK, MAX_LINK_MESSAGE } from "./link-message.js";

/** Consumer of complete messages. */
export interface WholeMessages {
  onMessage(message: string): void;
  streamTo(handler: PieceHandler): void;
  /** The last piece of a message was delivered; no more follow. */
  onPiecesEnded(): void;
}

export class LinkPieces implements PieceHandler {
  readonly #handler: PieceHandler;
  readonly #layer: WholeMessages;
  /** The beginning of a message that may belong to the link protocol; null once it is known not to. */
  #held: string | null = "";

  constructor(handler: PieceHandler, layer: WholeMessages) {
    this.#handler = handler;
    this.#layer = layer;
  }

  get maxSize(): number | undefined {
    return this.#handler.maxSize;
  }

  onPiece(piece: Piece): void {
    if (this.#held === null || typeof piece !== "string") {
      this.#held = null;
      this.#handler.onPiece(piece);
      return;
    }
    const text = this.#held + piece;
    if (!text.startsWith(MARK)) this.#release(text);
    else if (text.startsWith(MARK + MARK)) this.#release(text.slice(1));
    // A longer message is rejected when it ends.
    else this.#held = hasAllowedLength(text) ? text : text.slice(0, MAX_LINK_MESSAGE + 1);
  }

  onLastPiece(): void {
    const held = this.#held;
    if (held === null || held === "") {
      this.#layer.onPiecesEnded();
      this.#handler.onLastPiece();
      return;
    }
    this.#layer.streamTo(this.#handler); // The requested message has not arrived yet.
    this.#layer.onMessage(held);
  }

  #release(text: string): void {
    this.#held = null;
    if (text !== "") this.#handler.onPiece(text);
  }
}
