// The events of a topic that one loop has not read.

import type { TopicEvent } from "../topic-event.js";

export interface EventQueueHandler {
  /** The number of unread events, and of their bytes, has changed by these amounts. */
  onUnread(events: number, bytes: number): void;
  /** The loop was left: nobody reads this queue any more. */
  onLeft(queue: EventQueue): void;
}

type Result = IteratorResult<TopicEvent, undefined>;

interface Reader {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export class EventQueue {
  readonly #handler: EventQueueHandler;
  #events: TopicEvent[] = [];
  #readers: Reader[] = [];
  /** Set once no more events follow; an error ends the loop with it. */
  #end: { readonly error: unknown } | null = null;
  #hasLeft = false;

  constructor(handler: EventQueueHandler) {
    this.#handler = handler;
  }

  push(event: TopicEvent): void {
    if (this.#end !== null) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ value: event, done: false });
      return;
    }
    this.#events.push(event);
    this.#handler.onUnread(1, sizeOf(event));
  }

  /** No more events follow. @param error ends the loop with it; null to end the loop without an error */
  end(error: unknown): void {
    if (this.#end !== null) return;
    this.#end = { error };
    const readers = this.#readers;
    this.#readers = [];
    for (const reader of readers) this.#settleEnded(reader);
  }

  next(): Promise<Result> {
    const event = this.#events.shift();
    if (event !== undefined) {
      this.#handler.onUnread(-1, -sizeOf(event));
      return Promise.resolve({ value: event, done: false });
    }
    return new Promise((resolve, reject) => {
      if (this.#end === null) this.#readers.push({ resolve, reject });
      else this.#settleEnded({ resolve, reject });
    });
  }

  /** The loop was left. */
  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    const events = this.#events;
    this.#events = [];
    this.#handler.onUnread(-events.length, -events.reduce((bytes, event) => bytes + sizeOf(event), 0));
    this.end(null);
    this.#handler.onLeft(this);
  }

  #settleEnded({ resolve, reject }: Reader): void {
    const { error } = this.#end ?? { error: null };
    this.#end = { error: null }; // An iterator throws only once.
    if (error === null) resolve(DONE);
    else reject(error);
  }
}

const DONE: Result = { value: undefined, done: true };

function sizeOf(event: TopicEvent): number {
  return event.type === "message" ? event.data.length : 0;
}
