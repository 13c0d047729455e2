// A byte stream over one stream of an HTTP/2 connection (RFC 8441 section 5: END_STREAM stands for FIN,
// RST_STREAM for a reset).

import type { Http2Session, Http2Stream } from "node:http2";
import type { Socket } from "node:net";
import { ignore } from "../../shared/deferred.js";
import { nodeModule } from "../../protocol/node-module.js";
import type { Address, ByteStream, ByteStreamHandler } from "../../connection/ports.js";
import { keepReading } from "./http2-reading.js";
import { addressOf, isOfUnixServer } from "./socket-byte-stream.js";

export class Http2ByteStream implements ByteStream {
  readonly #stream: Http2Stream;
  /** Stored, because a closed stream no longer knows its session. */
  readonly #session: Http2Session | undefined;
  readonly #onCut: () => void;
  #handler: ByteStreamHandler | null = null;
  #awaitsDrain = false;
  #isDestroyed = false;
  /** Whether the end of the peer's side, or an error in its place, has been reported to the handler. */
  #isEndReported = false;
  /** The cause that ended the stream while we could still send; null if there was none. */
  #abortedBy: "connection" | "peer" | null = null;
  #isClosed = false;

  /** @param onCut called if this side destroys the stream before the peer has ended it */
  constructor(stream: Http2Stream, onCut = ignore) {
    this.#stream = stream;
    this.#session = stream.session;
    this.#onCut = onCut;
  }

  get remoteAddress(): Address | null {
    const socket = this.#socket;
    return addressOf(socket?.remoteAddress, socket?.remotePort);
  }

  get localAddress(): Address | null {
    const socket = this.#socket;
    return addressOf(socket?.localAddress, socket?.localPort);
  }

  get isUnix(): boolean {
    const socket = this.#socket;
    return socket !== null && isOfUnixServer(socket);
  }

  /** Bytes that flow control (RFC 9113 section 5.2) or the kernel has not accepted yet. */
  get bufferedAmount(): number {
    return this.#stream.writableLength;
  }

  get isBlocked(): boolean {
    return this.#stream.writableLength >= HIGH_WATER_MARK;
  }

  /** May be called again: the new handler replaces the previous one. */
  start(handler: ByteStreamHandler): void {
    const isFirst = this.#handler === null;
    this.#handler = handler;
    if (!isFirst) return;
    const stream = this.#stream;
    if (this.#session !== undefined) keepReading(this.#session);
    stream.on("data", (chunk: Uint8Array) => this.#handler?.onChunk(chunk));
    stream.on("end", this.#onEnd).on("aborted", this.#onAborted);
    stream.on("error", this.#onError).on("close", this.#onClose);
    // The stream closed in the turn in which it was accepted: Node emits no further event.
    if (stream.destroyed) queueMicrotask(this.#onClose);
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const stream = this.#stream;
    if (!stream.writable) return false; // The stream has been reset, and "close" follows.
    stream.cork();
    for (const chunk of chunks) stream.write(chunk);
    stream.uncork();
    if (this.isBlocked && !this.#awaitsDrain) {
      this.#awaitsDrain = true;
      stream.once("drain", this.#onDrain);
    }
    return false; // Node sends after this turn at the earliest, and the memory is in use until then.
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  end(): void {
    if (!this.#stream.writableEnded) this.#stream.end();
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    const stream = this.#stream;
    if (!this.#isEndReported) this.#onCut();
    this.#isEndReported = true;
    resetStream(stream);
  }

  get #socket(): Socket | null {
    const session = this.#session;
    return session === undefined || session.destroyed ? null : session.socket;
  }

  readonly #onEnd = (): void => {
    // If the stream was aborted, Node emits "end" for the partial data. Report it with "close" instead.
    if (this.#isEndReported || this.#abortedBy !== null) return;
    this.#isEndReported = true;
    this.#handler?.onEof();
  };

  readonly #onAborted = (): void => {
    // Check now: the session may close in the same turn, when it has no streams left.
    this.#abortedBy = this.#socket?.destroyed === false ? "peer" : "connection";
  };

  readonly #onError = (error: Error & { readonly code?: string }): void => {
    if (this.#isDestroyed) return;
    this.#isEndReported = true;
    const isReset = error.code === "ERR_HTTP2_STREAM_ERROR" || error.code === "ERR_HTTP2_SESSION_ERROR";
    this.#handler?.onError(isReset ? resetError(this.#stream.rstCode, error) : error);
  };

  readonly #onDrain = (): void => {
    this.#awaitsDrain = false;
    this.#handler?.onDrain();
  };

  readonly #onClose = (): void => {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!this.#isEndReported) this.#reportAbort();
    this.#handler?.onClosed();
  };

  /** Reports that the HTTP/2 connection was closed in order, or that the peer has reset this stream. */
  #reportAbort(): void {
    this.#isEndReported = true;
    if (this.#abortedBy === "connection") this.#handler?.onEof();
    else this.#handler?.onError(resetError(this.#stream.rstCode));
  }
}

/**
 * Node makes errors of some codes, and reports others not at all. Nothing shows which end has reset the stream: ours resets
 * it if the peer breaks the rules of HTTP/2.
 */
function resetError(code: number | undefined, cause?: Error): Error & { readonly code: string } {
  const name = code === undefined ? "no code" : (RST_NAMES.get(code) ?? `code ${code}`);
  const message = `The HTTP/2 stream was reset (${name}).`;
  return Object.assign(new Error(message, cause && { cause }), { code: "ECONNRESET" });
}

/** RFC 8441 section 5: RST_STREAM with CANCEL corresponds to a TCP reset. */
export function resetStream(stream: Http2Stream): void {
  // Otherwise Node sends END_STREAM first, and the peer mistakes the reset for an orderly end.
  stream._final = (callback) => callback();
  if (!stream.closed) stream.close(nodeModule("node:http2").constants.NGHTTP2_CANCEL);
  stream.destroy();
}

/**
 * Bytes that Node's streams and nghttp2 may buffer. Node's default is a quarter of this, and one DATA frame
 * holds 16 KiB.
 */
const HIGH_WATER_MARK = 64 * 1024;

/** RFC 9113 section 7. */
const RST_NAMES: ReadonlyMap<number, string> = new Map(
  [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
  ].entries(),
);
