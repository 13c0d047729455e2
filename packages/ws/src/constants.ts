// Values that several files share.

export const EMPTY_BUFFER = Buffer.alloc(0);

export const CONNECTING = 0;
export const OPEN = 1;
export const CLOSING = 2;
export const CLOSED = 3;

export type ReadyState = typeof CLOSED | typeof CLOSING | typeof CONNECTING | typeof OPEN;

export const STATE_NAMES = ["CONNECTING", "OPEN", "CLOSING", "CLOSED"] as const;

export const BINARY_TYPES = ["nodebuffer", "arraybuffer", "fragments", "blob"] as const;
export type BinaryType = (typeof BINARY_TYPES)[number];

/** The versions of the protocol that `ws` accepts. Version 8 is that of the last drafts, with the same frames. */
export const PROTOCOL_VERSIONS: readonly number[] = [8, 13];
