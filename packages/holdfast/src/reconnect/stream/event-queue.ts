// Events on their way to the consumer. Bounded: above the limits reading pauses, and of what only tells the state of
// affairs (pings, pongs, polls) the newest is kept and the oldest given up.

import type { Unread } from "../../connection/inbox.js";
import type { BinaryEvent, ClientEvent, ClientEventType, TextEvent } from "../events.js";

export interface QueueLimits {
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
}

/**
 * How many of these may wait. Each replaces those before it: a ping is answered already, and where the application
 * answers (`autoPong: false`) the newest is enough (RFC 6455 section 5.5.3).
 */
const MAX_WAITING: Partial<Readonly<Record<ClientEventType, number>>> = {
  poll: 1,
  ping: 32,
  pong: 32,
  suspended: 32,
};

export class EventQueue {
  #events: ClientEvent[] = [];
  #head = 0;
  #messages = 0;
  #bytes = 0;

  /** Events that wait. */
  get length(): number {
    return this.#events.length - this.#head;
  }

  /** The messages among them. */
  get unread(): Unread {
    return { length: this.#messages, bytes: this.#bytes };
  }

  /** The newest event; undefined where none waits. */
  get newest(): ClientEvent | undefined {
    return this.length === 0 ? undefined : this.#events[this.#events.length - 1];
  }

  push(event: ClientEvent): void {
    const limit = MAX_WAITING[event.type];
    if (limit !== undefined) this.#makeRoom(event.type, limit);
    this.#events.push(event);
    this.#count(event, 1);
  }

  /** Takes the oldest event; undefined where none waits. */
  shift(): ClientEvent | undefined {
    if (this.length === 0) return undefined;
    const event = this.#events[this.#head++];
    this.#count(event, -1);
    if (this.#head === this.#events.length) {
      this.#events = [];
      this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#events.length) {
      this.#events.splice(0, this.#head);
      this.#head = 0;
    }
    return event;
  }

  /** Takes the newest event back. */
  dropNewest(): void {
    const event = this.newest;
    if (event === undefined) return;
    this.#events.pop();
    this.#count(event, -1);
  }

  clear(): void {
    this.#events = [];
    this.#head = 0;
    this.#messages = 0;
    this.#bytes = 0;
  }

  isOver(limits: QueueLimits): boolean {
    return this.#messages > limits.maxQueuedMessages || this.#bytes > limits.maxQueuedBytes;
  }

  isRoomy(limits: QueueLimits): boolean {
    return this.#messages <= limits.maxQueuedMessages / 4 && this.#bytes <= limits.maxQueuedBytes / 4;
  }

  #makeRoom(type: ClientEventType, limit: number): void {
    let waiting = 0;
    let oldest = -1;
    for (let index = this.#events.length - 1; index >= this.#head; index--) {
      if (this.#events[index].type !== type) continue;
      waiting++;
      oldest = index;
    }
    if (waiting >= limit) this.#events.splice(oldest, 1);
  }

  #count(event: ClientEvent, change: 1 | -1): void {
    if (event.type !== "text" && event.type !== "binary") return;
    this.#messages += change;
    this.#bytes += change * sizeOf(event);
  }
}

/** A text that was handed out as bytes is not decoded for it. */
function sizeOf(event: TextEvent | BinaryEvent): number {
  return event.type === "binary" ? event.data.length : (event.bytes ?? event.text).length;
}
