// The body of an answer on its way to the client: as fast as the client takes it, and no faster.

import type { ByteStream } from "../../connection/ports.js";
import { describe } from "../../shared/option-checks.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import type { Framing } from "./response-head.js";

/** Where a body comes from: the reader of `Response.body`. */
export type BodyReader = ReadableStreamDefaultReader<Uint8Array>;

export class ResponseBody {
  readonly #reader: BodyReader;
  readonly #framing: Framing;
  readonly #transport: Pick<ByteStream, "isBlocked" | "write">;
  readonly #onProgress: () => void;
  #sent = 0;
  #onWritable: (() => void) | null = null;
  #isStopped = false;

  /** @param onProgress is told whenever the source or the client gets on */
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
   * Sends everything; resolves once it has been handed over, or was stopped.
   *
   * @throws whatever the source throws, and InvalidArgumentError where it yields what was not announced: part of the
   * body is out then, and only the end of the connection can tell the client.
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

  /** The client takes bytes again. */
  onDrain(): void {
    this.#onProgress();
    this.#onWritable?.();
    this.#onWritable = null;
  }

  /** The client is gone, or was given up: the source is told, and no more is asked of it. */
  stop(reason?: unknown): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#onWritable?.();
    cancel(() => this.#reader, reason);
  }

  /** In slices: each that the client takes shows that it gets on. Returns false where it was stopped. */
  async #write(chunk: unknown): Promise<boolean> {
    if (!(chunk instanceof Uint8Array)) {
      throw new InvalidArgumentError(
        `Expected the body of a Response to yield bytes, got ${describe(chunk)}`,
      );
    }
    this.#sent += chunk.length;
    if (this.#framing.kind === "length" && this.#sent > this.#framing.length) throw this.#lengthError();
    for (let at = 0; at < chunk.length; at += SLICE) {
      const slice = chunk.subarray(at, at + SLICE);
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
      `Expected a body of ${announced} bytes, as its Content-Length says, got ${this.#sent}`,
    );
  }

  #writable(): Promise<void> {
    return new Promise((resolve) => (this.#onWritable = resolve));
  }
}

/** Tells the source of an answer that nobody reads it. `response` is what `onRequest` returned, checked or not. */
export function discardBody(response: Response): void {
  cancel(() => response.body);
}

/** How the source ends interests nobody any more; what is no stream, or is locked, throws. */
function cancel(source: () => Pick<BodyReader, "cancel"> | null, reason?: unknown): void {
  void (async () => source()?.cancel(reason))().catch(() => undefined);
}

const SLICE = 64 * 1024;
const CRLF = Buffer.from("\r\n");
const LAST_CHUNK = Buffer.from("0\r\n\r\n");
