// A zlib stream that is driven synchronously from message to message. Node documents no way to do so: its synchronous
// functions create a stream for each call, which costs more than compressing a message of 1.5 KB. This uses what those
// functions are made of: `_handle.writeSync`, `_handle.onerror` and `_writeState` of the objects that `createDeflateRaw`
// and `createInflateRaw` return. See `zlib-calls.ts`, which tests them before use.

/** The documented and undocumented parts of a zlib stream of Node. */
export interface ZlibEngine {
  reset(): void;
  close(): void;
  on(event: "error", listener: () => void): unknown;
  readonly _handle?: NativeZlib | null | undefined;
  /** The output and the input that the last write left unused, in bytes. */
  readonly _writeState?: Uint32Array | undefined;
}

export interface NativeZlib {
  onerror: (message: string, errno: number, code: string) => void;
  writeSync: (
    flush: number,
    input: Uint8Array,
    inputStart: number,
    inputLength: number,
    output: Uint8Array,
    outputStart: number,
    outputLength: number,
  ) => unknown;
}

/** Room for a window and 64 KiB of a message. All handles write here, and only copies leave it. */
const OUTPUT_SIZE = 96 * 1024;
let sharedOutput: Buffer | null = null;

export class ZlibHandle {
  readonly #engine: ZlibEngine;
  readonly #native: NativeZlib;
  readonly #state: Uint32Array;
  #error: Error | null = null;
  /** How many bytes of input the last run left unread: those after the end of the stream. */
  unread = 0;

  /** @throws Error if the runtime's zlib lacks the undocumented parts */
  constructor(engine: ZlibEngine) {
    if (!engine._handle || !engine._writeState) {
      throw new Error("Expected a zlib stream with a handle of Node.");
    }
    this.#engine = engine;
    this.#native = engine._handle;
    this.#state = engine._writeState;
    // Should a runtime report errors by events, no program ends because of them.
    engine.on("error", () => undefined);
    this.#native.onerror = (message, errno, code) => {
      this.#error = Object.assign(new Error(message), { errno, code });
    };
  }

  /**
   * Processes the whole input.
   *
   * @param skipped how many bytes of the output to leave out at its start, up to 32 KiB
   * @param maxSize the maximum size of the rest
   * @throws an error with zlib's code, after which the handle cannot be used; with ERR_BUFFER_TOO_LARGE at more output
   * than `maxSize`, after which it has to be reset
   */
  run(input: Uint8Array, flush: number, skipped: number, maxSize: number): Buffer {
    const output = (sharedOutput ??= Buffer.allocUnsafeSlow(OUTPUT_SIZE));
    const parts: Buffer[] = [];
    let start = skipped;
    let size = 0;
    for (let unread = input.length; ;) {
      this.#native.writeSync(flush, input, input.length - unread, unread, output, 0, OUTPUT_SIZE);
      if (this.#error !== null) throw this.#error;
      const end = OUTPUT_SIZE - this.#state[0];
      unread = this.#state[1];
      size += end - start;
      if (size > maxSize) throw tooLarge(maxSize);
      const part = Buffer.allocUnsafe(end - start);
      output.copy(part, 0, start, end);
      if (end < OUTPUT_SIZE) {
        this.unread = unread;
        return parts.length === 0 ? part : Buffer.concat([...parts, part], size);
      }
      parts.push(part);
      start = 0;
    }
  }

  /** Starts a new stream with the same options. */
  reset(): void {
    this.#engine.reset();
  }

  /** Frees the native memory at once, not when garbage is collected. */
  close(): void {
    this.#engine.close();
  }
}

function tooLarge(maxSize: number): Error {
  const error = new RangeError(`Expected at most ${maxSize} bytes of output, got more.`);
  return Object.assign(error, { code: "ERR_BUFFER_TOO_LARGE" });
}
