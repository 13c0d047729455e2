// The port through which a server's clients come in: a listener of its own, or somebody's HTTP server.

export interface Entrance {
  /** The TCP port; 0 where there is none. */
  readonly port: number;
  /** A URL that reaches it from this machine. */
  readonly url: string;
  /** Whether others take the newcomers as soon as this one closes: then it need not stay to refuse them. */
  readonly hasSiblings: boolean;
  /** Lets nobody in any more. Resolves once it is closed; again and again, if need be. */
  close(): Promise<void>;
}
