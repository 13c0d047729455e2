// The source of a server's clients: its own listener, or the application's HTTP server.

export interface ServerListener {
  /** The TCP port; 0 if there is none. */
  readonly port: number;
  /** A URL that reaches the server from this machine. */
  readonly url: string;
  /**
   * Passes plain HTTP requests to the server's `ownRequests`. Returns a function that ends that. Absent if this listener
   * passes all requests anyway; null if it gets none.
   */
  readonly listenToPlainRequests?: (() => () => void) | null;
  /**
   * Stops accepting clients. Resolves once the clients that are already in the kernel's queue have been accepted; they
   * get 503.
   */
  drain(): Promise<void>;
  /** Closes the sockets that have no request gracefully. Resolves once all sockets of this listener have closed. */
  close(): Promise<void>;
  /** Destroys the sockets that `close()` still waits for. */
  destroy(): void;
}
