// A transport over one stream of an HTTP/2 connection (RFC 8441 section 5: END_STREAM stands for FIN, RST_STREAM for
// a reset).

import { constants, type Http2Session, type Http2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Address, ByteStream, ByteStreamHandler } from "../../connection/ports.js";
import { isOfUnixServer } from "./socket-byte-stream.js";

export class Http2ByteStream implements ByteStream {
  readonly #stream: Http2Stream;
  /** Kept, as a stream that has ended forgets its session. */
  readonly #session: Http2Session | undefined;
  readonly #onCut: () => void;
  #handler: ByteStreamHandler | null = null;
  #awaitsDrain = false;
  #isDestroyed = false;
  /** The handler knows of the end of the peer's side, or of the error that took its place. */
  #isEndTold = false;
  /** What ended the stream while we could still have sent; null where nothing did. */
  #abortedBy: "connection" | "peer" | null = null;
  #isClosed = false;

  /** @param onCut is called where this side destroys the stream before the peer has ended it */
  constructor(stream: Http2Stream, onCut: () => void = () => undefined) {
    this.#stream = stream;
    this.#session = stream.session;
    this.#onCut = onCut;
  }

  get remoteAddress(): Address | null {
    const socket = this.#socket;
    return socket?.remoteAddress === undefined
      ? null
      : { address: socket.remoteAddress, port: socket.remotePort ?? 0 };
  }

  get localAddress(): Address | null {
    const socket = this.#socket;
    return socket?.localAddress === undefined
      ? null
      : { address: socket.localAddress, port: socket.localPort ?? 0 };
  }

  get isUnix(): boolean {
    const socket = this.#socket;
    return socket !== null && isOfUnixServer(socket);
  }

  /** What the windows of flow control, or the kernel, have not taken yet (RFC 9113 section 5.2). */
  get bufferedAmount(): number {
    return this.#stream.writableLength;
  }

  get isBlocked(): boolean {
    return this.#stream.writableLength >= HIGH_WATER_MARK;
  }

  /** May be called again: the next handler takes over from the one before. */
  start(handler: ByteStreamHandler): void {
    const isFirst = this.#handler === null;
    this.#handler = handler;
    if (!isFirst) return;
    const stream = this.#stream;
    stream.on("data", (chunk: Uint8Array) => this.#handler?.onChunk(chunk));
    stream.on("end", this.#onEnd).on("aborted", this.#onAborted);
    stream.on("error", this.#onError).on("close", this.#onClose);
    // In the turn in which it was answered: nobody will tell any more.
    if (stream.destroyed) queueMicrotask(this.#onClose);
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const stream = this.#stream;
    if (!stream.writable) return false; // A reset has ended it, and its "close" is on the way.
    stream.cork();
    for (const chunk of chunks) stream.write(chunk);
    stream.uncork();
    if (this.isBlocked && !this.#awaitsDrain) {
      this.#awaitsDrain = true;
      stream.once("drain", this.#onDrain);
    }
    return false; // It goes out behind the present turn, at the earliest: the memory is in use until then.
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
    if (!this.#isEndTold) this.#onCut();
    this.#isEndTold = true;
    resetStream(stream);
  }

  get #socket(): Socket | null {
    const session = this.#session;
    return session === undefined || session.destroyed ? null : session.socket;
  }

  readonly #onEnd = (): void => {
    // Where the stream was aborted, Node ends what it has of it; what that means is told with the close.
    if (this.#isEndTold || this.#abortedBy !== null) return;
    this.#isEndTold = true;
    this.#handler?.onEof();
  };

  readonly #onAborted = (): void => {
    // Now, as the connection may well end in the same turn, for want of streams.
    this.#abortedBy = this.#socket?.destroyed === false ? "peer" : "connection";
  };

  readonly #onError = (error: Error): void => {
    if (this.#isDestroyed) return;
    this.#isEndTold = true;
    this.#handler?.onError(error);
  };

  readonly #onDrain = (): void => {
    this.#awaitsDrain = false;
    this.#handler?.onDrain();
  };

  readonly #onClose = (): void => {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!this.#isEndTold) this.#tellAbort();
    this.#handler?.onClosed();
  };

  /** The connection underneath has ended, in order; or the peer has reset this stream of it. */
  #tellAbort(): void {
    this.#isEndTold = true;
    const { rstCode } = this.#stream;
    if (this.#abortedBy === "connection") {
      this.#handler?.onEof();
      return;
    }
    const message = `The peer reset the HTTP/2 stream (${RST_NAMES.get(rstCode) ?? rstCode})`;
    this.#handler?.onError(Object.assign(new Error(message), { code: "ECONNRESET" }));
  }
}

/** RFC 8441 section 5: RST_STREAM with CANCEL, where TCP would have been reset. */
export function resetStream(stream: Http2Stream): void {
  // Node would send END_STREAM ahead of it, and the peer take the reset for an end in order.
  stream._final = (callback) => callback();
  if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
  stream.destroy();
}

/** Bytes that Node's streams and nghttp2 may hold; Node's own mark is a quarter of it, and 16 KiB are one DATA frame. */
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
