// Delivers a message piece by piece as it arrives, instead of assembling it.

/** A string of a text message, or copied bytes of a binary one. */
export type Piece = string | ReturnType<typeof Uint8Array.of>;

/** Receives the pieces, which are never empty. */
export interface PieceHandler {
  /** The most bytes that the message may have. Absent for `maxMessageSize`. */
  readonly maxSize?: number | undefined;
  onPiece(piece: Piece): void;
  /** The message is complete. */
  onLastPiece(): void;
  /** The rest of the message will never arrive: a session has lost its socket amid it. */
  onBroken?(): void;
}

/** Splits a message into pieces. Pieces of text end between characters. */
export class PieceDecoder {
  readonly #handler: PieceHandler;
  readonly #decoder: TextDecoder | null;

  constructor(handler: PieceHandler, isText: boolean) {
    this.#handler = handler;
    this.#decoder = isText ? new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }) : null;
  }

  /** Returns false if a text is not UTF-8. */
  push(bytes: Uint8Array): boolean {
    if (this.#decoder === null) {
      if (bytes.length > 0) this.#handler.onPiece(new Uint8Array(bytes));
      return true;
    }
    return this.#pushText(this.#decoder, bytes, true);
  }

  /** Completes the message; returns false if a text ends within a character. */
  end(): boolean {
    if (this.#decoder !== null && !this.#pushText(this.#decoder, NOTHING, false)) return false;
    this.#handler.onLastPiece();
    return true;
  }

  #pushText(decoder: TextDecoder, bytes: Uint8Array, stream: boolean): boolean {
    try {
      const text = decoder.decode(bytes, { stream });
      if (text !== "") this.#handler.onPiece(text);
      return true;
    } catch {
      return false; // A fatal decoder throws only for invalid UTF-8.
    }
  }
}

const NOTHING = new Uint8Array(0);
