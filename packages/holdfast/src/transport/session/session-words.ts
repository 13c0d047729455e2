// The words of the link protocol that other layers use, across the sockets of a session. They are not messages of
// the session: without a socket they are dropped, and the peer asks again on the next one.

import type { LinkWords, WordHandler } from "../../connection/message-transport.js";
import { ignore } from "../../shared/deferred.js";
import type { SessionLink } from "./session-link.js";

export class SessionWords implements LinkWords {
  readonly #currentLink: () => SessionLink | null;
  readonly #handlers = new Map<string, WordHandler>();
  readonly #announced = new Set<string>();

  constructor(currentLink: () => SessionLink | null) {
    this.#currentLink = currentLink;
  }

  /** The session continues on another socket. */
  attach(words: LinkWords): void {
    for (const [word, handler] of this.#handlers) words.handleWord(word, handler);
    for (const word of this.#announced) words.announce(word);
  }

  sendWord(word: string, argument: string): Promise<void> {
    return this.#words?.sendWord(word, argument) ?? Promise.resolve();
  }

  sendAnnounced(word: string, argument: string, payload: Uint8Array): Promise<void> {
    return this.#words?.sendAnnounced(word, argument, payload) ?? Promise.resolve();
  }

  sendWordAhead(word: string, argument: string, onSent: () => void): () => void {
    return this.#words?.sendWordAhead(word, argument, onSent) ?? ignore;
  }

  handleWord(word: string, handler: WordHandler | null): void {
    if (handler === null) this.#handlers.delete(word);
    else this.#handlers.set(word, handler);
    this.#words?.handleWord(word, handler);
  }

  announce(word: string): void {
    this.#announced.add(word);
    this.#words?.announce(word);
  }

  get #words(): LinkWords | null {
    return this.#currentLink()?.link ?? null;
  }
}
