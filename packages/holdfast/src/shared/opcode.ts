// Opcodes and the bits of a frame's first byte (RFC 6455 section 5.2, 11.8).

export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

/** Bit of the first byte: the frame is the last fragment of its message. */
export const FIN = 0x80;
/** Bits of the first byte that only a negotiated extension may set. */
export const RESERVED_BITS = 0x70;
export const OPCODE_BITS = 0x0f;
/** Bit of the opcode that is set for control frames and clear for data frames. */
export const CONTROL_BIT = 0x08;
/** Bit of the second byte: the payload is masked. */
export const MASK_BIT = 0x80;

/** A control frame carries at most 125 bytes (RFC 6455 section 5.5). */
export const MAX_CONTROL_PAYLOAD = 125;

/** Two bytes, eight for an extended length, four for the masking key. */
export const MAX_HEADER_SIZE = 14;
