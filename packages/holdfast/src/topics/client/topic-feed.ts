// One topic at a client, across its connections: its position, and the loops that read it.

import type { Message } from "../../connection/reading/inbox.js";
import type { Position } from "../position.js";
import type { TopicGap, TopicMessage } from "../topic-event.js";
import { isSame } from "../position.js";
import { EventQueue } from "./event-queue.js";

export interface TopicFeedHandler {
  /** The number of unread events, and of their bytes, has changed by these amounts. */
  onUnread(events: number, bytes: number): void;
  /** No loop reads the topic any more. */
  onUnused(): void;
  /** The server has ended the subscription, or has refused it. */
  onOver(): void;
}

export class TopicFeed {
  readonly topic: string;
  readonly #handler: TopicFeedHandler;
  readonly #queues = new Set<EventQueue>();
  #position: Position | null;
  /** Whether it continues from a position, which is null for a topic without history. */
  #hasPosition: boolean;
  /** Whether the server's messages belong to the current subscription, rather than to an earlier one. */
  #isSubscribed = false;

  /** @param since the position of the last message that the application has; null to start with the next one */
  constructor(topic: string, since: Position | null, handler: TopicFeedHandler) {
    this.topic = topic;
    this.#position = since;
    this.#hasPosition = since !== null;
    this.#handler = handler;
  }

  /** The position from which to continue on another connection; null to start with the next message. */
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

  /** A subscription was requested: messages before the answer belong to an earlier one. */
  suspend(): void {
    this.#isSubscribed = false;
  }

  /** The answer of the server: the next message follows this position. */
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
  onMessage(data: Message, offset: number | null): void {
    if (!this.#isSubscribed) return;
    const position = this.#position;
    if (offset !== null && position !== null) {
      if (offset <= position.offset) return; // It was delivered before.
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

  /** @param error ends the loops with it; null to end them without an error */
  end(error: unknown): void {
    for (const queue of this.#queues) queue.end(error);
    this.#queues.clear();
    this.#handler.onOver();
  }
}
