// The ports of a connection: what it needs from the world outside. node/ implements them on Node's sockets
// and clocks; the tests implement them on a fake clock and on scripted bytes.

/** Time and the turns of the event loop. */
export interface Clock {
  /** Monotonic time in milliseconds, from an arbitrary origin. Never runs backwards. */
  now(): number;
  /** Wall clock time in milliseconds since 1970. May jump. */
  wallNow(): number;
  /** Calls back once, no earlier than `delay` milliseconds from now. Returns what cancels it. */
  setTimer(delay: number, callback: () => void): () => void;
  /**
   * Milliseconds that two firings of the timer for all deadlines are apart at least: where thousands of deadlines are
   * due each second, one firing serves several. A deadline with none shortly before it is kept to the millisecond.
   * @default 0
   */
  readonly timerSpacing?: number;
  /** Calls back once the event loop has polled for I/O: what the kernel already holds has been read by then. */
  afterPoll(callback: () => void): void;
  /** Calls back at the end of this turn of the event loop, after the promises that are ready by then. */
  atTurnEnd(callback: () => void): void;
}

/** Unpredictable bytes, for masking keys (RFC 6455 section 5.3) and ping payloads. */
export interface Random {
  /** Fills the whole of `target`. */
  fill(target: Uint8Array): void;
}

/**
 * Where the library logs. `console`, pino and winston fit as they are; a message is constant text or, at `debug`, a
 * line to be read by a person, and the details are an object of plain values (and of an `error`, where there is one).
 */
export interface Logger {
  debug(message: string, details?: object): void;
  info(message: string, details?: object): void;
  warn(message: string, details?: object): void;
  error(message: string, details?: object): void;
  /**
   * Whether lines of this level are of any use. Asked once by each connection, when it opens: where it answers false
   * for `"debug"`, no frame is looked at. Pino and winston have it; of a logger without it, every level counts.
   */
  isLevelEnabled?(level: "debug"): boolean;
}

/** One end of a network connection. */
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
  /** Whether it came in at a server's Unix socket, where clients have no address. Absent where that is unknown. */
  readonly isUnix?: boolean;
  /** Bytes handed over by `write` that the kernel has not taken yet. */
  readonly bufferedAmount: number;
  /** True while the transport wants no more bytes; `onDrain` tells when it does again. */
  readonly isBlocked: boolean;
  /** Names who is told of what happens. What arrived before is delivered in later turns, never inside this call. */
  start(handler: ByteStreamHandler): void;
  /**
   * Hands the chunks over, in order, as one write.
   * Returns true where the kernel took everything, so that the memory may be used again at once.
   */
  write(chunks: readonly Uint8Array[]): boolean;
  /** Stops reading; at most the chunk that is being delivered still arrives. */
  pause(): void;
  /** Reads on. */
  resume(): void;
  /**
   * Ends the sending side (FIN) after what was written. `isOver` tells that the peer has said its last, too: then both
   * sides may end, where that loses nothing.
   */
  end(isOver: boolean): void;
  /** Ends both sides now and drops what the kernel has not taken. `onClosed` follows. Idempotent. */
  destroy(): void;
}

/** What a transport tells its connection. `onClosed` comes last and exactly once. */
export interface ByteStreamHandler {
  /** Bytes arrived. The receiver owns `chunk` and may change it (unmasking in place). */
  onChunk(chunk: Uint8Array): void;
  /**
   * Bytes arrived in memory that is lent for the time of the call; it may be changed. A handler without this method
   * gets all of its chunks to keep. Returns whether much was copied out of it: then the next ones are to keep.
   */
  onSharedChunk?(chunk: Uint8Array): boolean;
  /** The peer ended its sending side (FIN). */
  onEof(): void;
  /** Reading or writing failed; `onClosed` follows. */
  onError(error: Error & { readonly code?: string }): void;
  /** The transport, blocked before, takes bytes again. */
  onDrain(): void;
  /** The transport is gone. */
  onClosed(): void;
}
