// The listeners of this process, and the newest position of each topic, which reveals messages that a lost subscription
// missed.

import type { Msg, Subscription } from "@nats-io/transport-node";
import type { MessageListener, NewestListener, Position } from "holdfast/topics";
import { before, deadlineFromNow, sleep } from "../connection/deadline.js";
import { noReply, toEngineError } from "../connection/failures.js";
import type { Link } from "../connection/link.js";
import { hashOf, type Names } from "../connection/names.js";
import { decodeFrame } from "./message-frame.js";
import type { TopicStreams } from "./topic-streams.js";

/** Milliseconds between two checks of a topic's newest position. */
const CHECK_INTERVAL = 28_000;
const RETRY_DELAY = 500;
/** Topics per request for positions. */
const WINDOW = 64;

interface ListenedTopic {
  readonly name: string;
  readonly listeners: Map<MessageListener, NewestListener | undefined>;
  subscription: Subscription | null;
  error: Error | null;
  checkedAt: number;
}

export class TopicListeners {
  readonly #link: Link;
  readonly #names: Names;
  readonly #streams: TopicStreams;
  readonly #topics = new Map<string, ListenedTopic>();

  constructor(link: Link, names: Names, streams: TopicStreams) {
    this.#link = link;
    this.#names = names;
    this.#streams = streams;
    link.onRestored(() => void this.#report([...this.#topics.values()], true));
  }

  async listen(
    name: string,
    onMessage: MessageListener,
    onNewest: NewestListener | undefined,
  ): Promise<Position | null> {
    const deadline = deadlineFromNow();
    const topic = this.#topicOf(name);
    topic.listeners.set(onMessage, onNewest);
    try {
      await this.#link.ready(deadline);
      if (!topic.listeners.has(onMessage)) return null; // It no longer listens.
      topic.subscription ??= this.#subscribe(topic);
      await this.#link.flush(deadline);
      if (topic.error !== null) throw toEngineError(topic.error, "unsent");
      const newest = await before(deadline, this.#newestOf(name), noReply);
      topic.checkedAt = performance.now();
      return newest;
    } catch (error) {
      this.ignore(name, onMessage);
      throw error;
    }
  }

  ignore(name: string, onMessage?: MessageListener): void {
    const topic = this.#topics.get(name);
    if (topic === undefined) return;
    if (onMessage === undefined) topic.listeners.clear();
    else topic.listeners.delete(onMessage);
    if (topic.listeners.size > 0) return;
    this.#topics.delete(name);
    if (!this.#link.connection.isClosed()) topic.subscription?.unsubscribe();
  }

  /** Checks the newest positions that are due: a message may have been lost silently. */
  check(): void {
    const earliest = performance.now() - CHECK_INTERVAL;
    const due = [...this.#topics.values()].filter(({ checkedAt }) => checkedAt < earliest);
    for (const topic of due) topic.checkedAt = performance.now();
    void this.#report(due, false);
  }

  close(): void {
    for (const name of [...this.#topics.keys()]) this.ignore(name);
  }

  #subscribe(topic: ListenedTopic): Subscription {
    return this.#link.connection.subscribe(`${this.#names.delivered(hashOf(topic.name))}.>`, {
      callback: (error, message) => {
        if (error === null) this.#onMessage(topic, message);
        else {
          // NATS has ended the subscription: the next call to `listen` makes another one, or fails.
          topic.error = error;
          this.#topics.delete(topic.name);
        }
      },
    });
  }

  #onMessage(topic: ListenedTopic, { subject, headers, data }: Msg): void {
    const [, , , kind, token] = subject.split(".");
    const sequence = kind === "m" ? Number(headers?.get("Nats-Sequence")) : 0;
    const place = token === undefined ? null : { epoch: this.#streams.epochOf(token), offset: sequence };
    const message = decodeFrame(topic.name, data, place);
    if (message === null) return;
    for (const listener of topic.listeners.keys()) listener(message);
  }

  async #report(topics: readonly ListenedTopic[], wasLost: boolean): Promise<void> {
    for (let first = 0; first < topics.length; first += WINDOW) {
      await Promise.all(topics.slice(first, first + WINDOW).map((topic) => this.#reportOne(topic, wasLost)));
    }
  }

  async #reportOne(topic: ListenedTopic, wasLost: boolean): Promise<void> {
    while (!this.#link.isClosed && topic.listeners.size > 0) {
      try {
        if (wasLost) {
          await this.#link.ready(deadlineFromNow());
          await this.#link.flush(deadlineFromNow()); // It is subscribed again.
        }
        const position = await this.#newestOf(topic.name);
        if (wasLost || position !== null) {
          for (const listener of topic.listeners.values()) listener?.(position);
        }
        return;
      } catch {
        // Retry only after a loss, which has to be reported. Otherwise the next check follows anyway.
        if (!wasLost) return;
        await sleep(RETRY_DELAY);
      }
    }
  }

  async #newestOf(name: string): Promise<Position | null> {
    const stream = await this.#streams.find(name);
    return stream === null ? null : this.#streams.newestOf(stream);
  }

  #topicOf(name: string): ListenedTopic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = { name, listeners: new Map(), subscription: null, error: null, checkedAt: performance.now() };
      this.#topics.set(name, topic);
    }
    return topic;
  }
}
