// Keeps the order of what is sent while a Blob is being read.

/** A message whose bytes are known, a Blob, or the Close. */
export interface Outgoing {
  readonly data: Blob | string | Uint8Array<ArrayBuffer> | null;
  /** Passes the message on, with the bytes of a Blob. */
  readonly release: (data: string | Uint8Array<ArrayBuffer> | null) => void;
}

export class SendOrder {
  readonly #onError: (error: unknown) => void;
  #waiting: Outgoing[] = [];

  /** @param onError gets the error of a Blob that cannot be read; nothing is released after it */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Whether something waits, so that everything that follows has to wait too. */
  get isBusy(): boolean {
    return this.#waiting.length > 0;
  }

  push(outgoing: Outgoing): void {
    this.#waiting.push(outgoing);
    if (this.#waiting.length === 1) this.#releaseFirst();
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting = [];
  }

  #releaseFirst(): void {
    for (const first of this.#waiting) {
      if (first.data instanceof Blob) {
        first.data.arrayBuffer().then(
          (buffer) => this.#onRead(first, new Uint8Array(buffer)),
          (error: unknown) => this.#onFailed(first, error),
        );
        return;
      }
      this.#waiting = this.#waiting.filter((other) => other !== first);
      first.release(first.data);
    }
  }

  #onRead(blob: Outgoing, bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#waiting[0] !== blob) return; // Cleared in the meantime.
    this.#waiting.shift();
    blob.release(bytes);
    this.#releaseFirst();
  }

  #onFailed(blob: Outgoing, error: unknown): void {
    if (this.#waiting[0] !== blob) return;
    this.clear();
    this.#onError(error);
  }
}
