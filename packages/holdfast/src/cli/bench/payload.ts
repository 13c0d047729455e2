// The messages that `holdfast bench` sends, made before it begins. Their content is random, and each of a connection's
// differs from its neighbours, so that an echo that was changed, lost, doubled or swapped shows by comparing.

import { randomBytes } from "node:crypto";

/** All messages together, in bytes, at most: large ones are fewer. */
const MEMORY = 8 * 1024 * 1024;
const MOST = 64;

export class Payloads {
  /** Bytes of each. */
  readonly size: number;
  readonly isBinary: boolean;
  readonly #messages: readonly (string | Buffer)[];

  constructor(size: number, isBinary: boolean) {
    this.size = size;
    this.isBinary = isBinary;
    const count = Math.max(2, Math.min(MOST, Math.floor(MEMORY / Math.max(size, 1))));
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

/** `changed`: of the same kind and length, but not what was sent. `other`: something that the server says by itself. */
export type EchoCheck = "echo" | "changed" | "other";

/** Hexadecimal digits: one byte each in UTF-8, and no harder to compress than what people send. */
function randomText(size: number): string {
  return randomBytes(Math.ceil(size / 2))
    .toString("hex")
    .slice(0, size);
}
