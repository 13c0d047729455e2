// The seam for extensions (RFC 6455 section 9): what changes a message's payload on its way.
// permessage-deflate (RFC 7692) is one; the protocol itself knows none.

import { MAX_REASON_SIZE, type CloseFrame } from "../shared/close-code.js";
import type { MessageTooBigError, ProtocolError } from "../shared/errors.js";

/** How a connection is failed: the error says it to people, its close code to the peer. */
export type ProtocolFailure = MessageTooBigError | ProtocolError;

/** An extension as negotiated for one connection; it may keep state from message to message. */
export interface MessageExtension {
  /** As in `Sec-WebSocket-Extensions`. */
  readonly name: string;
  /** The reserved bits that the first frame of a message may carry, for example 0x40 for RSV1. */
  readonly reservedBits: number;
  /** Outgoing messages of fewer bytes are sent as they are. */
  readonly threshold: number;
  /** Bytes that a received message of `size` bytes may have taken on the wire, by the worst of sensible encoders. */
  maxEncodedSize(size: number): number;
  /**
   * Turns the payload of a whole received message, whose first frame carried `reservedBits`, into what the
   * application gets, at most `maxSize` bytes of it. Bad input is a failure, never a throw. What would hold the
   * event loop for too long is promised: until the promise is kept, nothing more is read.
   */
  decode(payload: Uint8Array, maxSize: number): Decoded | Promise<Decoded>;
  /**
   * Turns an outgoing message into what travels with `reservedBits` set; null to send it as it is. Messages leave
   * in the order of the calls, whatever is promised.
   */
  encode(payload: Uint8Array): Encoded | Promise<Encoded>;
  /** How it encodes one message for many connections; left out where it cannot. */
  readonly sharing?: MessageSharing;
}

/** Encodes messages so that the bytes do not depend on what was sent on this connection before. */
export interface MessageSharing {
  /** Extensions of one kind with equal keys encode equally, and their peers can read each other's bytes. */
  readonly sharingKey: number;
  encodeShared(payload: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** A message goes out here that one with the same key has encoded. */
  noteShared(payload: Uint8Array): void;
}

export type Decoded = Uint8Array | ProtocolFailure;
export type Encoded = Uint8Array | null;

/** The close code that a failure puts on the wire. */
export function closeCodeOf(failure: ProtocolFailure): number {
  return failure.code === "ERR_HOLDFAST_MESSAGE_TOO_BIG" ? 1009 : (failure as ProtocolError).closeCode;
}

/** The Close that a failure puts on the wire: its message, as far as a reason has room for it (section 5.5.1). */
export function closeOf(failure: ProtocolFailure): CloseFrame {
  return { code: closeCodeOf(failure), reason: fitReason(failure.message) };
}

function fitReason(text: string): string {
  const bytes = Buffer.from(text);
  let end = Math.min(bytes.length, MAX_REASON_SIZE);
  // Not inside of a character: a byte that continues one never begins the rest.
  while (end < bytes.length && (bytes[end] & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}
