// The rules of RFC 6455 for a single frame. Each function returns the message for a frame that breaks its rule, or null.

import { isSendableCloseCode } from "../../shared/close-code.js";
import { ProtocolError, UNMASKED } from "../../shared/errors.js";
import { UNREADABLE_LENGTH } from "../frame/frame-parser.js";
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  CONTROL_BIT,
  FIN,
  MAX_CONTROL_PAYLOAD,
  OPCODE_BITS,
  PING,
  PONG,
  RESERVED_BITS,
  TEXT,
} from "../../shared/opcode.js";
import { isValidText } from "./utf8.js";

const KNOWN_OPCODES: readonly number[] = [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG];

/**
 * Section 5.1: a server accepts only masked frames, a client only unmasked ones. An unknown opcode is reported first: bytes
 * that are not a frame at all have a wrong mask only by chance.
 */
export function problemOfMask(firstByte: number, expectsMask: boolean): string {
  const opcode = firstByte & OPCODE_BITS;
  if (!KNOWN_OPCODES.includes(opcode)) return unknown(opcode);
  return expectsMask ? UNMASKED : "Expected an unmasked frame from a server, got a masked one.";
}

/** Section 5.2: checks a first byte with reserved bits; an extension may allow some of them on messages. */
export function problemOfReservedBits(firstByte: number, allowed: number): string | null {
  const opcode = firstByte & OPCODE_BITS;
  const mayCarry = (firstByte & RESERVED_BITS & ~allowed) === 0 && (opcode === TEXT || opcode === BINARY);
  return mayCarry ? null : `Expected no reserved bits, got ${describeReservedBits(firstByte)}.`;
}

/** Section 5.2, for a length that is not encoded correctly. */
export function problemOfLength(length: number): string {
  return length === UNREADABLE_LENGTH
    ? "Expected a payload length with a first bit of 0, got 1."
    : "Expected the payload length in its shortest form, got a longer one.";
}

/** Section 5.2, and 5.5 for control frames. `isWithinMessage`: whether a message still lacks fragments. */
export function problemOfOpcode(firstByte: number, length: number, isWithinMessage: boolean): string | null {
  const opcode = firstByte & OPCODE_BITS;
  if ((opcode & CONTROL_BIT) !== 0) return problemOfControl(firstByte, length);
  if (opcode > BINARY) return unknown(opcode);
  const isContinuation = opcode === CONTINUATION;
  if (isContinuation === isWithinMessage) return null;
  return isContinuation
    ? "Expected the first frame of a message, got a continuation."
    : `Expected the next fragment of a message, got the start of another (${opcode === TEXT ? "text" : "binary"}).`;
}

function problemOfControl(firstByte: number, length: number): string | null {
  const opcode = firstByte & OPCODE_BITS;
  if (opcode > PONG) return unknown(opcode);
  if ((firstByte & FIN) === 0) return "Expected a control frame in one piece, got a fragment.";
  if (length <= MAX_CONTROL_PAYLOAD) return null;
  return `Expected at most ${MAX_CONTROL_PAYLOAD} bytes in a control frame, got ${describeLength(length)}.`;
}

/** Sections 5.5.1 and 7.4: a Close is empty, or holds a sendable code and a reason in UTF-8. */
export function problemOfClose(payload: Buffer): ProtocolError | null {
  if (payload.length === 0) return null;
  if (payload.length === 1) return new ProtocolError("Expected a Close of 0 or 2 to 125 bytes, got 1.", 1002);
  const code = payload.readUInt16BE(0);
  if (!isSendableCloseCode(code)) return new ProtocolError(`Expected a valid close code, got ${code}.`, 1002);
  if (isValidText(payload.subarray(2))) return null;
  return new ProtocolError("Expected UTF-8 in a close reason, got other bytes.", 1007);
}

export function describeLength(length: number): string {
  return length === UNREADABLE_LENGTH ? "2^53 or more" : `${length}`;
}

function unknown(opcode: number): string {
  return `Expected a known opcode, got 0x${opcode.toString(16)}.`;
}

function describeReservedBits(firstByte: number): string {
  const names = ["RSV1", "RSV2", "RSV3"].filter((_, index) => (firstByte & (0x40 >> index)) !== 0);
  return names.join(", ");
}
