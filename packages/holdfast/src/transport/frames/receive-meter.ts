// Counts what a peer sends, for limits. Called within the read, on the hot path: it must not allocate or throw.

export interface ReceiveMeter {
  /** A chunk arrived and has been parsed. */
  onBytes(count: number): void;
  /** A message is complete, or the first piece of a streamed one was delivered. */
  onMessage(): void;
}
