// Text messages as UTF-8 bytes, for applications that only forward them; and the option `text`.

import { InvalidArgumentError } from "./errors.js";

/** The form in which text messages are delivered: strings, or the received UTF-8 as `TextBytes`. */
export type TextForm = "string" | "bytes";

/**
 * The UTF-8 of a text message. A connection with the option `text: "bytes"` delivers text in this form, so that it
 * differs from a binary message (`message instanceof TextBytes`). `send()` sends it as text. Forwarding a large text this
 * way costs half as much as with a string: the bytes are validated, but neither decoded nor encoded again.
 *
 * Converted to a string, it is the text: `String(message)`, `JSON.parse(message.toString())`.
 */
export class TextBytes extends Uint8Array {
  /** The text. */
  override toString(): string {
    return decoder.decode(this);
  }
}

/**
 * Decodes the bytes of a text message.
 * @throws InvalidArgumentError for bytes that are not UTF-8
 */
export function decodeText(bytes: TextBytes): string {
  try {
    return strictDecoder.decode(bytes);
  } catch (cause) {
    const message = "Expected `data` to be UTF-8, got other bytes.";
    throw new InvalidArgumentError(message, { cause });
  }
}

// A byte order mark is part of the message (RFC 6455 section 8.1 makes no exception for it).
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictDecoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
