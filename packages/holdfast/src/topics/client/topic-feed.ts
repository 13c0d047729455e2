// One topic at a client, across its connections: the position, and the loops that read it.

import type { Position } from "../position.js";
import type { TopicGap, TopicMessage } from "../topic-event.js";
import { isSame } from "../position.js";
import { EventQueue } from "./event-queue.js";

export interface TopicFeedHandler {
  /** The number of unread events, and of their bytes, has changed by so much. */
  onUnread(events: number, bytes: number): void;
  /** No loop reads the topic any more. */
  onUnused(): void;
  /** The server has ended the subscription, or refuses it. */
  onOver(): void;
}

export class TopicFeed {
  readonly topic: string;
  readonly #handler: TopicFeedHandler;
  readonly #queues = new Set<EventQueue>();
  #position: Position | null;
  /** Whether it continues from a position, which may be that of a topic without history. */
  #hasPosition: boolean;
  /** Whether what the server sends belongs to our subscription; else it is of an earlier one. */
  #isSubscribed = false;

  /** @param since the position of the last message that the application has; null to begin with the next one */
  constructor(topic: string, since: Position | null, handler: TopicFeedHandler) {
    this.topic = topic;
    this.#position = since;
    this.#hasPosition = since !== null;
    this.#handler = handler;
  }

  /** Where to continue on another connection; null to begin with the next message. */
  get position(): Position | null {
    return this.#position;
  }

  addQueue(): EventQueue {
    const queue = new EventQueue({
      onUnread: (events, bytes) => this.#handler.onUnread(events, bytes),
      onLeft: () => {
        if (this.#queues.delete(queue) && this.#queues.size === 0) this.#handler.onUnused();
      },
    });
    this.#queues.add(queue);
    return queue;
  }

  /** A subscription is asked for: what comes before the answer is of an earlier one. */
  suspend(): void {
    this.#isSubscribed = false;
  }

  /** The answer: the next message follows this position. */
  onSubscribed(position: Position | null, recovered: boolean): void {
    this.#isSubscribed = true;
    if (this.#hasPosition && !recovered && !isSame(position, this.#position)) this.onGap(position);
    this.#hasPosition = true;
    this.#position = position;
  }

  /** The history of a topic that had none has begun; nothing is missing. */
  onBeginning(position: Position | null): void {
    if (!this.#isSubscribed) return;
    if (this.#position === null) this.#position = position;
    else this.onGap(position);
  }

  onGap(position: Position | null): void {
    if (!this.#isSubscribed) return;
    const gap: TopicGap = { type: "gap", topic: this.topic, after: this.#position, position };
    this.#position = position;
    for (const queue of this.#queues) queue.push(gap);
  }

  /** @param offset null for a message without history */
  onMessage(data: Uint8Array | string, offset: number | null): void {
    if (!this.#isSubscribed) return;
    const position = this.#position;
    if (offset !== null && position !== null) {
      if (offset <= position.offset) return; // It was read before.
      if (offset > position.offset + 1) this.onGap({ epoch: position.epoch, offset: offset - 1 });
      this.#position = { epoch: position.epoch, offset };
    }
    const epoch = offset === null ? null : (position?.epoch ?? null);
    const message: TopicMessage = { type: "message", topic: this.topic, data, offset, epoch };
    for (const queue of this.#queues) queue.push(message);
  }

  /** The server has ended the subscription. */
  onEnded(): void {
    if (this.#isSubscribed) this.end(null);
  }

  /** @param error ends the loops with it; null for a quiet end */
  end(error: unknown): void {
    for (const queue of this.#queues) queue.end(error);
    this.#queues.clear();
    this.#handler.onOver();
  }
}
