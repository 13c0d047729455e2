// Reports the events of one topic to the observer of the process: deliveries, slow receivers, and how far they are
// behind.

import type { TopicsObserver } from "./diagnostics.js";
import type { Position } from "./position.js";
import type { Receiver } from "./receiver.js";
import type { TopicMessage } from "./topic-event.js";

export class TopicReports {
  readonly #topic: string;
  readonly #observer: TopicsObserver;

  constructor(topic: string, observer: TopicsObserver) {
    this.#topic = topic;
    this.#observer = observer;
  }

  get wantsDeliveries(): boolean {
    return this.#observer.wants("holdfast:topic:deliver");
  }

  /** Call it if `wantsDeliveries`. */
  onDelivered({ offset }: TopicMessage, receivers: number): void {
    this.#observer.emit("holdfast:topic:deliver", { topic: this.#topic, offset, receivers });
  }

  onSlow({ connection, settings }: Receiver): void {
    if (!this.#observer.wants("holdfast:topic:slow")) return;
    this.#observer.emit("holdfast:topic:slow", { topic: this.#topic, connection, policy: settings.slow });
  }

  /** @param receiver null for the topic's own sequence */
  onRead(receiver: Receiver | null, position: Position | null, newest: Position | null): void {
    if (!this.#observer.wants("holdfast:topic:lag")) return;
    // Of another epoch, nothing has been read.
    const read = position?.epoch === newest?.epoch ? (position?.offset ?? 0) : 0;
    const messages = Math.max(0, (newest?.offset ?? 0) - read);
    const connection = receiver?.connection ?? null;
    this.#observer.emit("holdfast:topic:lag", { topic: this.#topic, connection, messages });
  }
}
