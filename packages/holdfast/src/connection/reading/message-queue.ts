// Messages that wait to be read, in the order of arrival, and what they take in memory.

import type { Message, Unread } from "./inbox.js";
import { isBelowLowWater, isOver, isOverMemory, overheadOf } from "./message-weight.js";

/** The empty list that idle queues share. Never changed. */
const NO_MESSAGES: Message[] = [];

export class MessageQueue implements Unread {
  #messages = NO_MESSAGES;
  #head = 0;
  #bytes = 0;
  #overhead = 0;

  get length(): number {
    return this.#messages.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(message: Message): void {
    if (this.#messages === NO_MESSAGES) this.#messages = [];
    this.#messages.push(message);
    this.#bytes += message.length;
    this.#overhead += overheadOf(message);
  }

  /** Takes the oldest message; undefined if the queue is empty. */
  shift(): Message | undefined {
    if (this.length === 0) return undefined;
    const message = this.#messages[this.#head];
    this.#messages[this.#head++] = "";
    this.#bytes -= message.length;
    this.#overhead -= overheadOf(message);
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
    this.#messages = NO_MESSAGES;
    this.#head = 0;
    this.#bytes = 0;
    this.#overhead = 0;
  }

  isOver(maxBytes: number): boolean {
    return isOver(maxBytes, this.#bytes, this.#overhead);
  }

  isOverMemory(maxBytes: number): boolean {
    return isOverMemory(maxBytes, this.#bytes, this.#overhead);
  }

  isBelowLowWater(maxBytes: number): boolean {
    return isBelowLowWater(maxBytes, this.#bytes, this.#overhead);
  }
}
