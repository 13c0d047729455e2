// The interface of extensions (RFC 6455 section 9), which transform the payloads of messages. The protocol knows only
// this interface; permessage-deflate (RFC 7692) implements it.

import { MAX_REASON_SIZE, type CloseFrame } from "../shared/close-code.js";
import type { MessageTooBigError, ProtocolError } from "../shared/errors.js";
import { withoutFullStop } from "../shared/full-stop.js";

/** The error that fails a connection. Its message is for people, its close code is for the peer. */
export type ProtocolFailure = MessageTooBigError | ProtocolError;

/** An extension as negotiated for one connection. It may keep state between messages. */
export interface MessageExtension {
  /** Its name in `Sec-WebSocket-Extensions`. */
  readonly name: string;
  /** The reserved bits that the first frame of a message may carry, such as 0x40 for RSV1. */
  readonly reservedBits: number;
  /** Outgoing messages with fewer bytes are sent unencoded. */
  readonly threshold: number;
  /** The most bytes that a message of `size` bytes takes on the wire with any reasonable encoder. */
  maxEncodedSize(size: number): number;
  /**
   * Decodes the payload of a whole received message whose first frame carried `reservedBits`, into at most `maxSize`
   * bytes. Returns a failure for bad input and never throws. Returns a promise if decoding would block the event loop for
   * too long; nothing more is read until it resolves.
   */
  decode(payload: Uint8Array, maxSize: number): Decoded | Promise<Decoded>;
  /**
   * Encodes an outgoing message, which is then sent with `reservedBits` set; null to send it unencoded. Messages are sent
   * in the order of the calls, even if some results are promises.
   */
  encode(payload: Uint8Array): Encoded | Promise<Encoded>;
  /** Frees what it keeps for speed. Called when the connection has ended. */
  end?(): void;
  /** How it encodes one message for many connections; undefined if it cannot. */
  readonly sharing?: MessageSharing;
}

/** Encodes messages so that the bytes do not depend on earlier messages of the connection. */
export interface MessageSharing {
  /** Extensions of the same kind with equal keys produce the same bytes, and any of their peers can decode them. */
  readonly sharingKey: number;
  encodeShared(payload: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** Notes that this connection sends a message which an extension with the same key encoded. */
  noteShared(payload: Uint8Array): void;
}

export type Decoded = Uint8Array | ProtocolFailure;
export type Encoded = Uint8Array | null;

/** The close code to send for a failure. */
export function closeCodeOf(failure: ProtocolFailure): number {
  return failure.code === "ERR_HOLDFAST_MESSAGE_TOO_BIG" ? 1009 : (failure as ProtocolError).closeCode;
}

/** The Close to send for a failure: its message is the reason, cut to the size that a reason may have (section 5.5.1). */
export function closeOf(failure: ProtocolFailure): CloseFrame {
  return { code: closeCodeOf(failure), reason: fitReason(withoutFullStop(failure.message)) };
}

function fitReason(text: string): string {
  const bytes = Buffer.from(text);
  let end = Math.min(bytes.length, MAX_REASON_SIZE);
  // Do not cut within a character: the rest must not begin with a continuation byte.
  while (end < bytes.length && (bytes[end] & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}
