// A message that is handed out piece by piece as it arrives, instead of being put together.

/** Who takes the pieces: strings for a text message, bytes of its own for a binary one; never empty. */
export interface PieceHandler {
  onPiece(piece: string | Uint8Array): void;
  /** The message is complete. */
  onLastPiece(): void;
}

/** Cuts what arrives into pieces: those of a text end between characters. */
export class PieceDecoder {
  readonly #sink: PieceHandler;
  readonly #decoder: TextDecoder | null;

  constructor(sink: PieceHandler, isText: boolean) {
    this.#sink = sink;
    this.#decoder = isText ? new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }) : null;
  }

  /** Returns false where a text is not UTF-8. */
  push(bytes: Uint8Array): boolean {
    if (this.#decoder === null) {
      if (bytes.length > 0) this.#sink.onPiece(new Uint8Array(bytes));
      return true;
    }
    return this.#pushText(this.#decoder, bytes, true);
  }

  /** The message is complete; returns false where a text ends inside of a character. */
  end(): boolean {
    if (this.#decoder !== null && !this.#pushText(this.#decoder, NOTHING, false)) return false;
    this.#sink.onLastPiece();
    return true;
  }

  #pushText(decoder: TextDecoder, bytes: Uint8Array, stream: boolean): boolean {
    try {
      const text = decoder.decode(bytes, { stream });
      if (text !== "") this.#sink.onPiece(text);
      return true;
    } catch {
      return false; // A fatal decoder throws for nothing else.
    }
  }
}

const NOTHING = new Uint8Array(0);
