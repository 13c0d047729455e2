// The bytes that a client sends after its request and before the response. A client should not send any, but a little is
// kept for the connection.

import type { ByteStream } from "../../connection/ports.js";
import { MessageBuffer } from "../../protocol/message/message-buffer.js";
import { asBuffer } from "../../protocol/message/views.js";

/** Bytes that are kept; beyond them, reading pauses. */
const MAX_BUFFERED = 64 * 1024;

export class EarlyData {
  readonly #transport: ByteStream;
  readonly #bytes = new MessageBuffer(Infinity);
  #isPaused = false;

  constructor(transport: ByteStream) {
    this.#transport = transport;
  }

  /** Keeps bytes that arrived now, and pauses reading if there are many. */
  receive(chunk: Uint8Array): void {
    this.append(chunk);
    if (this.#isPaused || this.#bytes.length <= MAX_BUFFERED) return;
    this.#isPaused = true;
    this.#transport.pause();
  }

  /** Keeps bytes that arrived together with the request. */
  append(bytes: Uint8Array): void {
    this.#bytes.append(asBuffer(bytes), 0, bytes.length);
  }

  /** Returns the bytes, and resumes reading. */
  take(): Uint8Array {
    const bytes = this.#bytes.take();
    if (this.#isPaused) this.#transport.resume();
    this.#isPaused = false;
    return bytes;
  }

  drop(): void {
    this.#bytes.take();
  }
}
