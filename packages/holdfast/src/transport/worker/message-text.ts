// Converts messages to and from the form that crosses threads: strings and plain bytes.

import type { Message } from "../../connection/reading/inbox.js";
import { TextBytes, type TextForm } from "../../shared/text-bytes.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Decodes a fragment of a text, which ends at a character boundary. */
export function decodePiece(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Structured cloning keeps the bytes, and not their class. */
export function textOf(bytes: Uint8Array): TextBytes {
  return new TextBytes(bytes);
}

export function joined(parts: readonly Message[], text: TextForm): Message {
  if (typeof parts[0] === "string")
    return text === "bytes" ? new TextBytes(encoder.encode(parts.join(""))) : parts.join("");
  const pieces = parts.filter((part) => typeof part !== "string");
  const whole = new Uint8Array(pieces.reduce((size, { length }) => size + length, 0));
  let end = 0;
  for (const piece of pieces) {
    whole.set(piece, end);
    end += piece.length;
  }
  return whole;
}
