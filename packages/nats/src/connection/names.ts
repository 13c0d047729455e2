// Names of subjects and streams. Topics may have any characters, and names of streams may not: a hash stands for a topic.

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
  /** Where messages with history are published: each stream has its own, so that none can reach its successor. */
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
  /** The subjects of subscribers: followed by `n` without history, by `m` and the token of the stream with it. */
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
