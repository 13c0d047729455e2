// Yields the fragments of one message as they arrive from the other thread.

import { ignore } from "../../shared/deferred.js";

interface Piece {
  readonly message: string | Uint8Array;
  readonly size: number;
}

export class FragmentFeed implements AsyncIterable<string | Uint8Array> {
  readonly #onGone: (bytes: number) => void;
  #pieces: Piece[] = [];
  #isComplete = false;
  #wake = ignore;

  constructor(onGone: (bytes: number) => void) {
    this.#onGone = onGone;
  }

  push(message: string | Uint8Array, size: number, isLast: boolean): void {
    this.#pieces.push({ message, size });
    this.#isComplete = isLast;
    this.#wake();
  }

  /** No further fragments arrive. */
  leave(): void {
    this.#isComplete = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string | Uint8Array, void> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        yield piece.message;
        this.#onGone(piece.size); // Requests the next fragment.
      } else if (this.#isComplete) {
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }
}
