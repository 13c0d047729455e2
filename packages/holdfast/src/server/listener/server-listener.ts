// The port through which a server's clients come in: a listener of its own, or somebody's HTTP server.

export interface ServerListener {
  /** The TCP port; 0 where there is none. */
  readonly port: number;
  /** A URL that reaches it from this machine. */
  readonly url: string;
  /**
   * The server is closing: takes no more clients. Resolves once those that had connected before, and wait in the
   * kernel, have been taken: they hear 503.
   */
  drain(): Promise<void>;
  /** Ends in order what has no request. Resolves once everything that came in this way is gone. */
  close(): Promise<void>;
  /** Ends at once what `close()` still waits for. */
  destroy(): void;
}
