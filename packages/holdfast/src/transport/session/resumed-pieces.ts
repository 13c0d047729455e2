// The reader of a message in pieces, across the sockets of a session.

import type { Piece, PieceHandler } from "../../protocol/message/piece-decoder.js";

/**
 * Delivers a message piece by piece, also if its socket is cut on the way: the client sends it again from the start, and
 * the pieces that were delivered already are left out.
 */
export class ResumedPieces implements PieceHandler {
  readonly #handler: PieceHandler;
  readonly #onOver: () => void;
  #delivered = 0;
  #toSkip = 0;
  #isCurrent = true;

  constructor(handler: PieceHandler, onOver: () => void) {
    this.#handler = handler;
    this.#onOver = onOver;
  }

  get maxSize(): number | undefined {
    return this.#handler.maxSize;
  }

  onPiece(piece: Piece): void {
    const skipped = Math.min(this.#toSkip, piece.length);
    this.#toSkip -= skipped;
    if (skipped === piece.length && skipped > 0) return;
    const rest =
      skipped === 0 ? piece : typeof piece === "string" ? piece.slice(skipped) : piece.subarray(skipped);
    this.#delivered += rest.length;
    this.#handler.onPiece(rest);
  }

  onLastPiece(): void {
    this.#onOver();
    this.#handler.onLastPiece();
  }

  onBroken(): void {
    this.#handler.onBroken?.();
  }

  /** Whether the reader has some of the message. */
  get hasBegun(): boolean {
    return this.#delivered > 0;
  }

  /** The socket is gone. */
  interrupt(): void {
    this.#isCurrent = false;
  }

  /** Another socket delivers the message from its start. */
  restarted(): this {
    if (!this.#isCurrent) this.#toSkip = this.#delivered;
    this.#isCurrent = true;
    return this;
  }
}
