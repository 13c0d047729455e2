// The ports of a connection: clock, random source, logger, byte stream. transport/node/ implements them with Node's
// sockets and timers; tests implement them with a fake clock and scripted bytes.

/** Time, timers and the phases of the event loop. */
export interface Clock {
  /** Monotonic time in milliseconds, from an arbitrary origin. Never runs backwards. */
  now(): number;
  /** Wall clock time in milliseconds since 1970. May jump. */
  wallNow(): number;
  /**
   * Calls back once, at least `delay` milliseconds from now. Returns a function that cancels the timer.
   * @param isBackground the timer does not keep the process alive. @default false
   */
  setTimer(delay: number, callback: () => void, isBackground?: boolean): () => void;
  /**
   * The minimum in milliseconds between two firings of the timer that serves all deadlines. With thousands of deadlines
   * a second, one firing then serves several. A deadline that follows no other closely is exact to the millisecond.
   * @default 0
   */
  readonly timerSpacing?: number;
  /** Calls back after the event loop has polled for I/O, when all data that the kernel held has been read. */
  afterPoll(callback: () => void): void;
  /** Calls back at the end of this turn of the event loop, after the microtasks. */
  atTurnEnd(callback: () => void): void;
}

/** A source of unpredictable bytes, for masking keys (RFC 6455 section 5.3) and ping payloads. */
export interface Random {
  /** Fills the whole of `target`. */
  fill(target: Uint8Array): void;
}

/**
 * Receives the library's log. `console`, pino and winston loggers work directly. The message is a constant text, or at
 * `debug` a line for people to read. The details are an object of plain values, with an `error` if there is one.
 */
export interface Logger {
  debug(message: string, details?: object): void;
  info(message: string, details?: object): void;
  warn(message: string, details?: object): void;
  error(message: string, details?: object): void;
  /**
   * Whether the logger keeps lines of this level. Each connection calls it once, when it opens; if it returns false for
   * `"debug"`, the connection does not inspect frames. Pino and winston have this method. Without it, every level is
   * logged.
   */
  isLevelEnabled?(level: "debug"): boolean;
}

/** The address of one end of a network connection. */
export interface Address {
  /** The IP address, or the path of a Unix socket. */
  readonly address: string;
  /** The port; 0 for a Unix socket. */
  readonly port: number;
}

/** A full-duplex byte stream: TCP, TLS, an HTTP/2 stream, any Node `Duplex`. */
export interface ByteStream {
  readonly remoteAddress: Address | null;
  readonly localAddress: Address | null;
  /** Whether a server accepted it on a Unix socket, where clients have no address. Absent if unknown. */
  readonly isUnix?: boolean;
  /** Bytes passed to `write` that the kernel has not accepted yet. */
  readonly bufferedAmount: number;
  /** True while the stream should get no more bytes. `onDrain` reports when it accepts bytes again. */
  readonly isBlocked: boolean;
  /** Sets the handler of all events. Bytes that arrived before are delivered in a later turn, never within this call. */
  start(handler: ByteStreamHandler): void;
  /**
   * Writes the chunks, in order, in one system call. Returns true if the kernel accepted everything, so that the caller
   * may reuse the memory at once.
   */
  write(chunks: readonly Uint8Array[]): boolean;
  /** Stops reading. At most the chunk that is being delivered still arrives. */
  pause(): void;
  /** Continues reading. */
  resume(): void;
  /**
   * Ends the sending side (FIN) after the bytes written so far. `isOver` means that the peer will send nothing more
   * either, so that both sides may end if no data is lost by that.
   */
  end(isOver: boolean): void;
  /** Ends both sides now and drops the bytes that the kernel has not accepted. `onClosed` follows. Idempotent. */
  destroy(): void;
}

/** Receives the events of a byte stream. `onClosed` is called last and exactly once. */
export interface ByteStreamHandler {
  /** Bytes arrived. The handler owns `chunk` and may change it, to unmask in place. */
  onChunk(chunk: Uint8Array): void;
  /**
   * Bytes arrived in a shared read buffer, which the handler may use and change only during the call. A handler without
   * this method owns all of its chunks. Returns true if the handler copied much of the chunk: the next chunks are then
   * passed to `onChunk`.
   */
  onSharedChunk?(chunk: Uint8Array): boolean;
  /** The peer ended its sending side (FIN). */
  onEof(): void;
  /** Reading or writing failed; `onClosed` follows. */
  onError(error: Error & { readonly code?: string }): void;
  /** The stream was blocked and accepts bytes again. */
  onDrain(): void;
  /** The stream has ended on both sides. */
  onClosed(): void;
}
