// The port through which a server's clients come in: a listener of its own, or somebody's HTTP server.

export interface Entrance {
  /** The TCP port; 0 where there is none. */
  readonly port: number;
  /** A URL that reaches it from this machine. */
  readonly url: string;
  /**
   * The server is closing. Newcomers are still let in, to hear 503 and when to come again; but where others take
   * them as soon as this entrance is closed, it closes now.
   */
  drain(): void;
  /** Lets nobody in any more, and ends what has not become a request. Resolves once that is done. */
  close(): Promise<void>;
}
