// A frame that somebody is shown. A file of its own: the declarations that pages load name it, and nothing of Node.js.

/** A frame as it travelled (RFC 6455 section 5.2). */
export interface ObservedFrame {
  /** 0 continuation, 1 text, 2 binary, 8 Close, 9 Ping, 10 Pong; from a peer that breaks the rules, anything to 15. */
  readonly opcode: number;
  /** False for a fragment that others follow. */
  readonly isFinal: boolean;
  /** RSV1: the message is compressed (RFC 7692 section 6), and so is `payload`. */
  readonly isCompressed: boolean;
  /** Bytes of the whole payload; Infinity for a length of 2^53 or more. */
  readonly length: number;
  /** The payload, unmasked; of a longer one, the first 4096 bytes. */
  readonly payload: Uint8Array;
}
