// Formats a message for a terminal: on one line, without control characters, cut after some length.

import { escaped } from "./escape.js";

/** Longer text is cut after this many characters. */
const TEXT_SHOWN = 500;
/** Longer binary messages are cut after this many bytes. */
const BYTES_SHOWN = 64;

/** @param isFull whether long messages are shown in full */
export function messageText(message: string | Uint8Array, isFull: boolean): string {
  if (typeof message !== "string") return binaryText(message, isFull);
  if (isFull || message.length <= TEXT_SHOWN) return escaped(message);
  return `[text, ${Buffer.byteLength(message)} bytes] ${escaped(beginning(message))} …`;
}

/** Does not cut a surrogate pair in half. */
function beginning(text: string): string {
  const cut = text.slice(0, TEXT_SHOWN);
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
}

function binaryText(bytes: Uint8Array, isFull: boolean): string {
  const shown = isFull ? bytes : bytes.subarray(0, BYTES_SHOWN);
  const digits = Buffer.from(shown)
    .toString("hex")
    .replaceAll(/(..)(?=.)/g, "$1 ");
  const count = `${bytes.length} ${bytes.length === 1 ? "byte" : "bytes"}`;
  return `[binary, ${count}] ${digits}${shown.length < bytes.length ? " …" : ""}`;
}

export function timeOfDay(time: number): string {
  return new Date(time).toTimeString().slice(0, 8);
}
