// Describes a frame for viewers (RFC 6455 section 5.2).

import { CLOSE, CONTINUATION, BINARY, PING, PONG, TEXT } from "../../shared/opcode.js";
import type { ObservedFrame } from "../../shared/observed-frame.js";
import type { FrameRow } from "./wire.js";

/** Characters. */
const SHOWN_OF_PAYLOAD = 200;

const NAMES: Readonly<Record<number, string>> = {
  [CONTINUATION]: "CONTINUATION",
  [TEXT]: "TEXT",
  [BINARY]: "BINARY",
  [CLOSE]: "CLOSE",
  [PING]: "PING",
  [PONG]: "PONG",
};

export function frameRow(
  { opcode, isFinal, isCompressed, length, payload }: ObservedFrame,
  direction: FrameRow["direction"],
  at: number,
  showsPayload: boolean,
): FrameRow {
  const notes = [...(isCompressed ? ["compressed"] : []), ...(isFinal ? [] : ["continued"])];
  if (opcode === CLOSE && payload.length >= 2) notes.push(`code ${(payload[0] << 8) | payload[1]}`);
  const hasText = showsPayload && opcode === TEXT && !isCompressed;
  return {
    at: Math.round(at),
    direction,
    name: NAMES[opcode] ?? `OPCODE ${opcode}`,
    length: Number.isFinite(length) ? length : Number.MAX_SAFE_INTEGER,
    notes,
    text: hasText ? beginningOf(payload, length) : null,
  };
}

/** A character that is cut in half shows as U+FFFD. */
function beginningOf(payload: Uint8Array, length: number): string {
  const text = decoder.decode(payload.subarray(0, 4 * SHOWN_OF_PAYLOAD)).slice(0, SHOWN_OF_PAYLOAD);
  return payload.length < length || payload.length > 4 * SHOWN_OF_PAYLOAD ? `${text}…` : text;
}

const decoder = new TextDecoder();
