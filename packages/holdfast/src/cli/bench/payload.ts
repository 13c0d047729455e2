// The messages of `holdfast bench`, generated before it starts. Their content is random, and consecutive messages of a
// connection differ, so that a comparison detects echoes that were changed, lost, duplicated or swapped.

import { randomBytes } from "node:crypto";

/** The limit for all messages together, in bytes: there are fewer large ones. */
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_MESSAGES = 64;

export class Payloads {
  /** The size of each message, in bytes. */
  readonly size: number;
  readonly isBinary: boolean;
  readonly #messages: readonly (string | Buffer)[];

  constructor(size: number, isBinary: boolean) {
    this.size = size;
    this.isBinary = isBinary;
    const count = Math.max(2, Math.min(MAX_MESSAGES, Math.floor(MAX_BYTES / Math.max(size, 1))));
    this.#messages = Array.from({ length: count }, () => (isBinary ? randomBytes(size) : randomText(size)));
  }

  /** The message with this number. */
  at(number: number): string | Uint8Array {
    return this.#messages[number % this.#messages.length];
  }

  check(number: number, received: string | Uint8Array): EchoCheck {
    const sent = this.#messages[number % this.#messages.length];
    if (typeof sent === "string" ? sent === received : typeof received !== "string" && sent.equals(received))
      return "echo";
    const isAlike = typeof received === typeof sent && received.length === this.size;
    return isAlike ? "changed" : "other";
  }
}

/** `changed`: same type and length, but different content. `other`: a message of the server's own. */
export type EchoCheck = "echo" | "changed" | "other";

/** Hexadecimal digits: one byte each in UTF-8, and about as compressible as typical messages. */
function randomText(size: number): string {
  return randomBytes(Math.ceil(size / 2))
    .toString("hex")
    .slice(0, size);
}
