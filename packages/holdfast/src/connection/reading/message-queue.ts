// Messages that wait to be read, in the order of arrival.

import { TextBytes } from "../../shared/text-bytes.js";
import type { Message } from "./inbox.js";
import { MessageWeight, overheadOf } from "./message-weight.js";

/** The empty list that idle queues share. Never changed. */
const NO_MESSAGES: Message[] = [];

export class MessageQueue extends MessageWeight {
  #messages = NO_MESSAGES;
  #head = 0;

  add(message: Message): void {
    if (this.#messages === NO_MESSAGES) this.#messages = [];
    this.#messages.push(typeof message === "string" || message.length > 0 ? message : placeholderOf(message));
    this.count(message);
  }

  /** Takes the oldest message; undefined if the queue is empty. */
  shift(): Message | undefined {
    if (this.length === 0) return undefined;
    const message = this.#messages[this.#head];
    this.#messages[this.#head++] = "";
    this.subtract(1, message.length, overheadOf(message));
    if (this.#head === this.#messages.length) {
      this.#messages = NO_MESSAGES;
      this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#messages.length) {
      this.#messages.splice(0, this.#head);
      this.#head = 0;
    }
    return ownOf(message);
  }

  /** A copy, the oldest message first. */
  toArray(): Message[] {
    return this.#messages.slice(this.#head).map(ownOf);
  }

  clear(): void {
    while (this.shift() !== undefined);
  }
}

const EMPTY_BYTES = new Uint8Array(0);
const EMPTY_TEXT = new TextBytes(0);

/** Queued instead of empty bytes: a view takes some 200 bytes, and a chunk may hold 32,768 empty messages. */
function placeholderOf(empty: Exclude<Message, string>): Message {
  return empty instanceof TextBytes ? EMPTY_TEXT : EMPTY_BYTES;
}

/** A placeholder never leaves the queue: the reader may transfer the memory of a message to another thread. */
function ownOf(message: Message): Message {
  return typeof message === "string" || message.length > 0 ? message : message.slice();
}
