// Names of subjects and streams. A topic may contain any character, a stream's name may not: it contains a hash of the
// topic.

import { createHash, randomBytes } from "node:crypto";

/** 192 bits of SHA-256, in letters, digits, `_` and `-`. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 32);
}

/** 96 bits. */
export function randomId(): string {
  return randomBytes(12).toString("base64url");
}

export class Names {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The stream with the history of a topic. */
  stream(hash: string): string {
    return `${this.#prefix}_t_${hash}`;
  }
  /** The subject for messages with history. Each stream has its own, so a message never reaches a later stream. */
  stored(hash: string, token: string): string {
    return `${this.#prefix}.p.${hash}.${token}`;
  }
  /** The stream that recognises ids of messages without history. */
  get idStream(): string {
    return `${this.#prefix}_ids`;
  }
  withId(hash: string): string {
    return `${this.#prefix}.o.${hash}`;
  }
  /** The prefix of subscribers' subjects: followed by `n` without history, or by `m` and the stream's token with it. */
  delivered(hash: string): string {
    return `${this.#prefix}.t.${hash}`;
  }
  node(node: string): string {
    return `${this.#prefix}.r.${node}`;
  }
  changes(hash: string): string {
    return `${this.#prefix}.w.${hash}`;
  }
  bucket(name: string): string {
    return `${this.#prefix}_${name}`;
  }
  get anySession(): string {
    return `${this.#prefix}.s.*`;
  }
  session(id: string): string {
    return `${this.#prefix}.s.${hashOf(id)}`;
  }
}
