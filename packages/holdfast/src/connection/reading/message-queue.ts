// Messages that wait to be read, in the order of arrival.

import type { Message } from "./inbox.js";
import { MessageWeight, overheadOf } from "./message-weight.js";

/** The empty list that idle queues share. Never changed. */
const NO_MESSAGES: Message[] = [];

export class MessageQueue extends MessageWeight {
  #messages = NO_MESSAGES;
  #head = 0;

  add(message: Message): void {
    if (this.#messages === NO_MESSAGES) this.#messages = [];
    this.#messages.push(message);
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
    return message;
  }

  /** A copy, the oldest message first. */
  toArray(): Message[] {
    return this.#messages.slice(this.#head);
  }

  clear(): void {
    while (this.shift() !== undefined);
  }
}
