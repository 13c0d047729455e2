// `toNodeStream()`: a connection as a Duplex of `node:stream`.

import { addAbortSignal, Duplex, type DuplexOptions } from "node:stream";
import { Connection } from "../connection/connection.js";
import { coreOf } from "../connection/core-of.js";
import { ConnectionClosedOK, type ConnectionClosed } from "../connection/errors.js";
import type { Message } from "../connection/reading/inbox.js";
import { checkBoolean, checkSignal, checkSize, invalidArgument } from "../shared/option-checks.js";
import { TextBytes } from "../shared/text-bytes.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";

/** Options of `toNodeStream()`, as of `stream.Duplex`. */
export interface NodeStreamOptions {
  /**
   * Sets both `readableObjectMode` and `writableObjectMode`. @default false: a stream of bytes
   */
  readonly objectMode?: boolean | undefined;
  /** Whether each chunk that is read is one message: a string for text, a Buffer for bytes. @default false */
  readonly readableObjectMode?: boolean | undefined;
  /** Whether strings are sent as text. Otherwise they are encoded, and every chunk is a binary message. @default false */
  readonly writableObjectMode?: boolean | undefined;
  /** Bytes, or messages in object mode, that wait in each direction before backpressure begins. @default Node's */
  readonly highWaterMark?: number | undefined;
  /** False for a stream that only writes: the connection's messages are dropped, as by `discard()`. @default true */
  readonly readable?: boolean | undefined;
  /** Destroys the stream when it aborts. */
  readonly signal?: AbortSignal | null | undefined;
}

const OPTIONS: OptionNames<NodeStreamOptions> = {
  objectMode: true,
  readableObjectMode: true,
  writableObjectMode: true,
  highWaterMark: true,
  readable: true,
  signal: true,
};

/**
 * Returns a Duplex that reads the messages of the connection and sends each chunk as a message, as
 * `createWebSocketStream()` of `ws` does. Unless in object mode, it is a stream of bytes: the limits of messages do not
 * matter. Read the connection in no other way; it may still `send()`. Node.js, Bun and Deno only.
 *
 * Backpressure works in both directions: unread messages wait in the connection (`maxQueue`), and writing waits while
 * `writeLimit` or more bytes are unsent.
 *
 * Ends: WebSockets have no half-close. `end()` closes the connection with 1000 after all chunks, and what the peer sent
 * before its Close can still be read; "finish" follows the end of the connection. If the connection ends well, the
 * stream ends, or fails with ConnectionClosedOK if a source is piped into it and nobody reads it; otherwise it is
 * destroyed with ConnectionClosedError, after the messages that were received.
 * `destroy()` closes the connection with 1000, and `destroy(error)` with 1011, so that the peer does not take half of
 * the data for all of it.
 *
 * @throws InvalidArgumentError
 */
export function toNodeStream(connection: Connection, options: NodeStreamOptions = {}): Duplex {
  if (!(connection instanceof Connection)) throw invalidArgument("connection", "a Connection", connection);
  checkOptionNames("toNodeStream()", options, OPTIONS);
  return new ConnectionStream(connection, options);
}

class ConnectionStream extends Duplex {
  readonly #connection: Connection;
  readonly #destroyed = new AbortController();
  #isReading = false;
  /** The connection has ended badly; the stream is destroyed once everything was read. */
  #failure: Error | null = null;

  constructor(connection: Connection, options: NodeStreamOptions) {
    const objectMode = checkBoolean("objectMode", options.objectMode, false);
    const highWaterMark = checkSize("highWaterMark", options.highWaterMark, null);
    const signal = checkSignal(options.signal);
    const settings: DuplexOptions & { readable: boolean } = {
      readableObjectMode: checkBoolean("readableObjectMode", options.readableObjectMode, objectMode),
      writableObjectMode: checkBoolean("writableObjectMode", options.writableObjectMode, objectMode),
      readable: checkBoolean("readable", options.readable, true),
      ...(highWaterMark === null ? {} : { highWaterMark }),
      allowHalfOpen: false, // Once the peer has closed, nothing can be sent.
    };
    super(settings);
    this.#connection = connection;
    if (this.readable) coreOf(connection).inbox.addUser();
    else connection.discard();
    this.on("newListener", this.#onListener);
    // Later, so that a pipeline of which the stream becomes a part fails with this error.
    if (connection.signal.aborted) process.nextTick(this.#onEnd);
    else connection.signal.addEventListener("abort", this.#onEnd, { once: true });
    // Not through `super()`, which would destroy the stream before it has its fields.
    if (signal !== null) addAbortSignal(signal, this);
  }

  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    if (this.#failure !== null) process.nextTick(() => this.#fail());
    return chunk;
  }

  override _read(): void {
    if (!this.#isReading && this.#failure === null) void this.#readOn();
  }

  override _write(chunk: Message, _encoding: string, callback: (error?: Error | null) => void): void {
    this.#connection.send(chunk).then(() => callback(), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    void this.#connection.close().then(({ ok }) => callback(ok ? null : this.#error));
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#connection.signal.removeEventListener("abort", this.#onEnd);
    this.#destroyed.abort();
    void this.#connection.close(error === null ? 1000 : 1011).then(() => callback(error));
  }

  /** Reads until the stream is full. */
  async #readOn(): Promise<void> {
    this.#isReading = true;
    const { signal } = this.#destroyed;
    try {
      while (this.push(this.#chunkOf(await this.#connection.recv({ signal }))));
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ConnectionClosedOK) this.push(null);
      else {
        this.#failure = error as Error;
        this.#fail();
      }
    } finally {
      this.#isReading = false;
    }
  }

  /** Destroying the stream at once would discard what it has not handed over. */
  #fail(): void {
    if (this.#failure !== null && this.readableLength === 0) this.destroy(this.#failure);
  }

  #chunkOf(message: Message): Buffer | string {
    if (this.readableObjectMode && message instanceof TextBytes) return message.toString();
    if (typeof message === "string") return this.readableObjectMode ? message : Buffer.from(message);
    return Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  }

  /** The connection has ended. A reader finds out by itself, after the last message. */
  readonly #onEnd = (): void => {
    if (this.#isOnlyWritten) this.destroy(this.#error);
    else if (this.readable && (this.#isReading || coreOf(this.#connection).inbox.length > 0)) return;
    else if (this.#error instanceof ConnectionClosedOK) {
      if (this.readable) this.push(null);
      else this.end();
    } else if (!this.writableEnded) this.destroy(this.#error);
  };

  /** A source that is attached after the end may never write. */
  readonly #onListener = (event: string | symbol): void => {
    if (event !== "drain" && event !== "unpipe") return;
    process.nextTick(() => {
      if (this.#connection.signal.aborted && this.#isOnlyWritten) this.destroy(this.#error);
    });
  };

  /** Whether `pipe()` or `pipeline()` writes to the stream, and nobody reads it. */
  get #isOnlyWritten(): boolean {
    const isRead = this.readableFlowing !== null || this.listenerCount("readable") > 0;
    const isWritten = this.listenerCount("drain") + this.listenerCount("unpipe") > 0;
    return isWritten && !isRead && !this.writableEnded;
  }

  get #error(): ConnectionClosed {
    return this.#connection.signal.reason as ConnectionClosed;
  }
}
