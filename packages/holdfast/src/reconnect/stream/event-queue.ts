// The queue of events for the consumer. It is bounded: above the limits reading pauses. Of events that only report a
// state (pings, pongs, polls) it keeps the newest and drops the oldest.

import type { Unread } from "../../connection/reading/inbox.js";
import type { BinaryEvent, ClientEvent, ClientEventType, TextEvent } from "../events.js";

export interface QueueLimits {
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
}

/**
 * How many events of these types may be queued. Newer ones replace older ones: pings are already answered, and an
 * application that answers itself (`autoPong: false`) need only answer the newest (RFC 6455 section 5.5.3).
 */
const MAX_QUEUED: Partial<Readonly<Record<ClientEventType, number>>> = {
  poll: 1,
  ping: 32,
  pong: 32,
  suspect: 32,
  suspended: 32,
};

export class EventQueue {
  #events: ClientEvent[] = [];
  #head = 0;
  #messages = 0;
  #bytes = 0;

  /** The number of queued events. */
  get length(): number {
    return this.#events.length - this.#head;
  }

  /** The queued messages. */
  get unread(): Unread {
    return { length: this.#messages, bytes: this.#bytes };
  }

  /** The newest event; undefined if the queue is empty. */
  get newest(): ClientEvent | undefined {
    return this.length === 0 ? undefined : this.#events[this.#events.length - 1];
  }

  push(event: ClientEvent): void {
    const limit = MAX_QUEUED[event.type];
    if (limit !== undefined) this.#makeRoom(event.type, limit);
    this.#events.push(event);
    this.#count(event, 1);
  }

  /** Removes and returns the oldest event; undefined if the queue is empty. */
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

  /** Removes the newest event. */
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

  isBelowLowWater(limits: QueueLimits): boolean {
    return this.#messages <= limits.maxQueuedMessages / 4 && this.#bytes <= limits.maxQueuedBytes / 4;
  }

  #makeRoom(type: ClientEventType, limit: number): void {
    let queued = 0;
    let oldest = -1;
    for (let index = this.#events.length - 1; index >= this.#head; index--) {
      if (this.#events[index].type !== type) continue;
      queued++;
      oldest = index;
    }
    if (queued >= limit) this.#events.splice(oldest, 1);
  }

  #count(event: ClientEvent, change: 1 | -1): void {
    if (event.type !== "text" && event.type !== "binary") return;
    this.#messages += change;
    this.#bytes += change * sizeOf(event);
  }
}

/** Does not decode a text that is kept as bytes. */
function sizeOf(event: TextEvent | BinaryEvent): number {
  return event.type === "binary" ? event.data.length : (event.bytes ?? event.text).length;
}
