// The messages of the link protocol (docs/link-protocol.md), as text.

import { TextBytes } from "../../shared/text-bytes.js";

/**
 * U+0016, "synchronous idle". A text that begins with one mark is a message of the link protocol; a text that
 * begins with two is the application's.
 */
export const MARK = "\u0016";
export const MARK_CODE = 0x16;

/**
 * UTF-16 code units of the longest message. A ping with 125 bytes takes less; the rest is for future
 * extensions.
 */
export const MAX_LINK_MESSAGE = 1024;

/** Bytes, as in a control frame (RFC 6455 section 5.5). */
const MAX_PAYLOAD = 125;

/** Whether a text has the mark at this index; always false for binary messages. */
export function isMarked(message: Uint8Array | string, place = 0): message is TextBytes | string {
  if (typeof message === "string") return message.charCodeAt(place) === MARK_CODE;
  return message[place] === MARK_CODE && message instanceof TextBytes;
}

/** Whether it is a link message that carries no message of the application. */
export function isOwnMessage(message: Uint8Array | string): boolean {
  if (!isMarked(message)) return false;
  const beginning = String(message.slice(1, 5));
  return !beginning.startsWith(MARK) && beginning !== "pub ";
}

export type LinkMessage =
  | { readonly type: "ping" | "pong"; readonly payload: Uint8Array }
  /** Milliseconds over which the clients of a server spread their reconnections. */
  | { readonly type: "spread"; readonly width: number }
  /** A word for another layer, or of a later version of the protocol. */
  | { readonly type: "word"; readonly word: string; readonly argument: string }
  /** `expected` is a sentence that describes the error. */
  | { readonly type: "invalid"; readonly expected: string };

export function writeLinkMessage(type: "ping" | "pong", payload: Uint8Array): string {
  const digits = Array.from(payload, (byte) => byte.toString(16).padStart(2, "0"));
  return `${MARK}${type} ${digits.join("")}`;
}

export function writeSpread(width: number): string {
  return `${MARK}spread ${Math.round(width)}`;
}

export function writeWord(word: string, argument: string): string {
  return argument === "" ? MARK + word : `${MARK}${word} ${argument}`;
}

/** Words that carry a message of the application: only `maxMessageSize` bounds them. */
const CARRIERS: ReadonlySet<string> = new Set(["m", "pub"]);

/** Words that announce a binary message: it belongs to them, and not to the application. */
export const ANNOUNCERS: ReadonlySet<string> = new Set(["b", "pubb"]);

/** Whether a text may be a link message, as far as its length says; the text may be incomplete. */
export function hasAllowedLength(text: string): boolean {
  return text.length <= MAX_LINK_MESSAGE || isCarrier(text);
}

/** Whether a text begins with a word that carries a message of the application. */
export function isCarrier(text: string): boolean {
  const end = text.indexOf(" ");
  return end > 0 && end <= MAX_WORD && CARRIERS.has(text.slice(1, end));
}

const MAX_WORD = 16;

/** Parses a text that begins with one mark. */
export function readLinkMessage(text: string): LinkMessage {
  if (!hasAllowedLength(text)) {
    return invalid(`at most ${MAX_LINK_MESSAGE} characters in a message of the link protocol`);
  }
  const match = LINK_MESSAGE.exec(text);
  if (match === null) return invalid("a word of the link protocol after U+0016");
  const [, word, argument = ""] = match;
  // Ignore a malformed width, like an unknown word: it is not a reason to fail the connection.
  if (word === "spread" && WIDTH.test(argument)) return { type: "spread", width: Number(argument) };
  if (word !== "ping" && word !== "pong") return { type: "word", word, argument };
  const payload = bytesOf(argument);
  return payload === null
    ? invalid(`up to ${MAX_PAYLOAD} bytes in lower-case hexadecimal after "${word}"`)
    : { type: word, payload };
}

const LINK_MESSAGE = /^.([a-z]+)(?: ([^]*))?$/;

const WIDTH = /^[0-9]+$/;

const HEX = /^(?:[0-9a-f]{2})*$/;

function bytesOf(text: string): Uint8Array | null {
  if (text.length > 2 * MAX_PAYLOAD || !HEX.test(text)) return null;
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = Number.parseInt(text.slice(index * 2, index * 2 + 2), 16);
  }
  return bytes;
}

function invalid(expected: string): LinkMessage {
  return { type: "invalid", expected: `Expected ${expected}, got something else` };
}
