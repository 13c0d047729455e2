// A message that is handed out piece by piece on a link: one of the link protocol is put together and told as such,
// and any other goes on as it comes.

import type { PieceHandler } from "../../protocol/message/piece-decoder.js";
import { hasAllowedLength, MARK, MAX_LINK_MESSAGE } from "./link-message.js";

/** What takes messages whole. */
export interface WholeMessages {
  onMessage(message: string): void;
  streamTo(sink: PieceHandler): void;
  /** The last piece of a message has come: the sink gets no other. */
  onPiecesEnded(): void;
}

export class LinkPieces implements PieceHandler {
  readonly #sink: PieceHandler;
  readonly #layer: WholeMessages;
  /** The beginning of a message that may be the link protocol's; null once it is known to be another. */
  #held: string | null = "";

  constructor(sink: PieceHandler, layer: WholeMessages) {
    this.#sink = sink;
    this.#layer = layer;
  }

  onPiece(piece: string | Uint8Array): void {
    if (this.#held === null || typeof piece !== "string") {
      this.#held = null;
      this.#sink.onPiece(piece);
      return;
    }
    const text = this.#held + piece;
    if (!text.startsWith(MARK)) this.#release(text);
    else if (text.startsWith(MARK + MARK)) this.#release(text.slice(1));
    // What is longer than it may be is refused at its end.
    else this.#held = hasAllowedLength(text) ? text : text.slice(0, MAX_LINK_MESSAGE + 1);
  }

  onLastPiece(): void {
    const held = this.#held;
    if (held === null || held === "") {
      this.#layer.onPiecesEnded();
      this.#sink.onLastPiece();
      return;
    }
    this.#layer.streamTo(this.#sink); // The message that was asked for is still to come.
    this.#layer.onMessage(held);
  }

  #release(text: string): void {
    this.#held = null;
    if (text !== "") this.#sink.onPiece(text);
  }
}
