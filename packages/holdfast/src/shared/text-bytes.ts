// Text that was received, or is to be sent, as the UTF-8 that it travels in: for those who only pass it on.

/**
 * The UTF-8 of a text message. A connection with the option `text: "bytes"` hands text out as this, so that it can be
 * told from a binary message (`message instanceof TextBytes`); `send()` sends it as text. Passing a large text on that
 * way costs half of what a string does: it is checked, and neither decoded nor encoded again.
 *
 * As a string it is the text: `String(message)`, `JSON.parse(message.toString())`.
 */
export class TextBytes extends Uint8Array {
  /** The text. */
  override toString(): string {
    return decoder.decode(this);
  }
}

// A byte order mark is part of the message (RFC 6455 section 8.1 has nothing else to say of it).
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
