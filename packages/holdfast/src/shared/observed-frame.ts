/** A frame as it was sent or received, for logs and diagnostics (RFC 6455 section 5.2). */
export interface ObservedFrame {
  /**
   * 0 continuation, 1 text, 2 binary, 8 Close, 9 Ping, 10 Pong. A peer that violates the protocol may send
   * any value up to 15.
   */
  readonly opcode: number;
  /** False for a fragment that is followed by others. */
  readonly isFinal: boolean;
  /** RSV1: the message is compressed (RFC 7692 section 6), and so is `payload`. */
  readonly isCompressed: boolean;
  /** Length of the whole payload in bytes; Infinity for 2^53 or more. */
  readonly length: number;
  /** The unmasked payload, cut to its first 4096 bytes. */
  readonly payload: Uint8Array;
}
