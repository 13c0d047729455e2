// The words of the link protocol that other layers give a meaning to: sessions, topics.

import type { LinkWords, MessageTransport, WordHandler } from "../../connection/message-transport.js";
import { writeWord } from "./link-message.js";

/** How many words without a handler a client remembers. */
const MAX_UNHANDLED = 8;

export class WordChannel implements LinkWords {
  readonly #transport: MessageTransport;
  readonly #handlers = new Map<string, WordHandler>();
  /** The newest arguments. A server remembers none: its clients are strangers. */
  readonly #unhandled: Map<string, string> | null;

  constructor(transport: MessageTransport) {
    this.#transport = transport;
    this.#unhandled = transport.role === "client" ? new Map() : null;
  }

  sendWord(word: string, argument: string): Promise<void> {
    return this.#transport.sendText(writeWord(word, argument), PLAIN);
  }

  sendAnnounced(word: string, argument: string, payload: Uint8Array): Promise<void> {
    void this.sendWord(word, argument);
    return this.#transport.sendBinary(payload, PLAIN);
  }

  sendWordAhead(word: string, argument: string, onSent: () => void): () => void {
    return this.#transport.sendAhead(writeWord(word, argument), onSent);
  }

  handleWord(word: string, handler: WordHandler | null): void {
    if (handler === null) {
      this.#handlers.delete(word);
      return;
    }
    this.#handlers.set(word, handler);
    const argument = this.#unhandled?.get(word);
    if (argument === undefined) return;
    this.#unhandled?.delete(word);
    handler(argument, null);
  }

  announce(word: string): void {
    void this.sendWord(word, "");
  }

  onWord(word: string, argument: string, payload: Uint8Array | null): void {
    const handler = this.#handlers.get(word);
    if (handler !== undefined) handler(argument, payload);
    else if (payload === null) this.#remember(word, argument);
  }

  #remember(word: string, argument: string): void {
    const unhandled = this.#unhandled;
    if (unhandled === null || argument.length > MAX_REMEMBERED) return;
    if (unhandled.has(word) || unhandled.size < MAX_UNHANDLED) unhandled.set(word, argument);
  }
}

/** UTF-16 code units of the longest argument that is remembered. */
const MAX_REMEMBERED = 64;

const PLAIN = { mayEncode: true, signal: null, receipt: null };
