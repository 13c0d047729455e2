// Sends the body of a response, no faster than the client reads it.

import { quietly } from "../../shared/deferred.js";
import type { ByteStream } from "../../connection/ports.js";
import { describe } from "../../shared/option-checks.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import type { Framing } from "./response-head.js";

/** The source of a body: the reader of `Response.body`. */
export type BodyReader = ReadableStreamDefaultReader<Uint8Array>;

export class ResponseBody {
  readonly #reader: BodyReader;
  readonly #framing: Framing;
  readonly #transport: Pick<ByteStream, "isBlocked" | "write">;
  readonly #onProgress: () => void;
  #sent = 0;
  #onWritable: (() => void) | null = null;
  #isStopped = false;

  /** @param onProgress called whenever the source or the client makes progress */
  constructor(
    reader: BodyReader,
    framing: Framing,
    transport: Pick<ByteStream, "isBlocked" | "write">,
    onProgress: () => void,
  ) {
    this.#reader = reader;
    this.#framing = framing;
    this.#transport = transport;
    this.#onProgress = onProgress;
  }

  /**
   * Sends the whole body. Resolves once it has been written, or `stop()` was called.
   *
   * @throws the error of the source, or InvalidArgumentError if the source yields anything but bytes, or fewer or more
   * of them than Content-Length announces. Part of the body has been sent then, so that only closing the connection can
   * signal the failure to the client.
   */
  async send(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (this.#isStopped) return;
        this.#onProgress();
        if (done) break;
        if (!(await this.#write(value))) return;
      }
      this.#finish();
    } catch (error) {
      this.stop(error);
      throw error;
    }
  }

  /** The client reads again. */
  onDrain(): void {
    this.#onProgress();
    this.#onWritable?.();
    this.#onWritable = null;
  }

  /** Cancels the source, because the client has disconnected or the server stops the response. */
  stop(reason?: unknown): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#onWritable?.();
    cancel(() => this.#reader, reason);
  }

  /**
   * Writes a chunk in slices, because each slice that the client reads is progress. Returns false if `stop()` was
   * called.
   */
  async #write(chunk: unknown): Promise<boolean> {
    if (!(chunk instanceof Uint8Array)) {
      throw new InvalidArgumentError(
        `Expected the body of a Response to yield bytes, got ${describe(chunk)}.`,
      );
    }
    this.#sent += chunk.length;
    if (this.#framing.kind === "length" && this.#sent > this.#framing.length) throw this.#lengthError();
    for (let at = 0; at < chunk.length; at += SLICE_SIZE) {
      const slice = chunk.subarray(at, at + SLICE_SIZE);
      if (this.#framing.kind !== "chunked") this.#transport.write([slice]);
      else this.#transport.write([Buffer.from(`${slice.length.toString(16)}\r\n`), slice, CRLF]);
      if (this.#transport.isBlocked) await this.#writable();
      if (this.#isStopped) return false;
    }
    return true;
  }

  #finish(): void {
    if (this.#framing.kind === "length" && this.#sent !== this.#framing.length) throw this.#lengthError();
    if (this.#framing.kind === "chunked") this.#transport.write([LAST_CHUNK]);
  }

  #lengthError(): InvalidArgumentError {
    const announced = this.#framing.kind === "length" ? this.#framing.length : 0;
    return new InvalidArgumentError(
      `Expected a body of ${announced} bytes, as its Content-Length says, got ${this.#sent}.`,
    );
  }

  #writable(): Promise<void> {
    return new Promise((resolve) => (this.#onWritable = resolve));
  }
}

/**
 * Cancels the source of a response that nobody reads. `response` is the return value of `onRequest`, validated or not.
 */
export function discardBody(response: Response): void {
  cancel(() => response.body);
}

/** Cancels the source and ignores the result; also if it is not a stream, or is locked, and throws. */
function cancel(source: () => Pick<BodyReader, "cancel"> | null, reason?: unknown): void {
  void quietly((async () => source()?.cancel(reason))());
}

const SLICE_SIZE = 64 * 1024;
const CRLF = Buffer.from("\r\n");
const LAST_CHUNK = Buffer.from("0\r\n\r\n");
