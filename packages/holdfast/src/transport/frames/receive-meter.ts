// Counts what a peer sends, for limits. Told from within the read, on the hot path: it must not allocate or throw.

export interface ReceiveMeter {
  /** A chunk arrived, and has been parsed. */
  onBytes(count: number): void;
  /** A message is complete, or begins to be handed out piece by piece. */
  onMessage(): void;
}
