// The queue of events for the consumer. It is bounded: above the limits reading pauses. Of events that only report a
// state (pings, pongs, polls) it keeps the newest and drops the oldest.

import type { Message } from "../../connection/reading/inbox.js";
import { MessageWeight, overheadOf } from "../../connection/reading/message-weight.js";
import type { BinaryEvent, ClientEvent, ClientEventType, TextEvent } from "../events.js";

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
  /** The queued messages. */
  readonly unread = new MessageWeight();

  /** The number of queued events. */
  get length(): number {
    return this.#events.length - this.#head;
  }

  /** The newest event; undefined if the queue is empty. */
  get newest(): ClientEvent | undefined {
    return this.length === 0 ? undefined : this.#events[this.#events.length - 1];
  }

  push(event: ClientEvent): void {
    const limit = MAX_QUEUED[event.type];
    if (limit !== undefined) this.#makeRoom(event.type, limit);
    this.#events.push(event);
    if (isMessage(event)) this.unread.count(contentOf(event));
  }

  /** Removes and returns the oldest event; undefined if the queue is empty. */
  shift(): ClientEvent | undefined {
    if (this.length === 0) return undefined;
    const event = this.#events[this.#head++];
    this.#subtract(event);
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
    this.#subtract(event);
  }

  clear(): void {
    while (this.shift() !== undefined);
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

  #subtract(event: ClientEvent): void {
    if (!isMessage(event)) return;
    const content = contentOf(event);
    this.unread.subtract(1, content.length, overheadOf(content));
  }
}

function isMessage(event: ClientEvent): event is TextEvent | BinaryEvent {
  return event.type === "text" || event.type === "binary";
}

/** Does not decode a text that is kept as bytes. */
function contentOf(event: TextEvent | BinaryEvent): Message {
  return event.type === "binary" ? event.data : (event.bytes ?? event.text);
}
