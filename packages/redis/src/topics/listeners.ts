// The listeners of this process, and the newest position of each topic, which reveals messages that a lost subscription
// missed.

import type { MessageListener, NewestListener, Position } from "holdfast/topics";
import type { Reply } from "../client/connection.js";
import type { Commands } from "../routing/commands.js";
import { before, deadlineFromNow, sleep } from "../routing/deadline.js";
import { noReply } from "../routing/failures.js";
import type { Partition, Partitions } from "../routing/partitions.js";
import { NEWEST } from "../scripts/topics.js";
import type { Continuity } from "./continuity.js";
import { decodeFrame } from "./message-frame.js";
import type { ChannelHandler, Subscriptions } from "./subscriptions.js";

/** Milliseconds between two checks of a topic's newest position. */
const CHECK_INTERVAL = 28_000;
/** Topics of one script. */
const CHECK_SIZE = 100;
const RETRY_DELAY = 500;

export class TopicListeners {
  readonly #commands: Commands;
  readonly #partitions: Partitions;
  readonly #subscriptions: Subscriptions;
  readonly #continuity: Continuity;
  readonly #topics = new Map<string, ListenedTopic>();

  constructor(
    commands: Commands,
    partitions: Partitions,
    subscriptions: Subscriptions,
    continuity: Continuity,
  ) {
    this.#commands = commands;
    this.#partitions = partitions;
    this.#subscriptions = subscriptions;
    this.#continuity = continuity;
  }

  async listen(
    name: string,
    onMessage: MessageListener,
    onNewest: NewestListener | undefined,
    begins: boolean,
  ): Promise<Position | null> {
    const deadline = deadlineFromNow();
    const topic = this.#topicOf(name);
    topic.listeners.set(onMessage, onNewest);
    topic.begins ||= begins;
    try {
      await this.#subscriptions.subscribe(topic.partition, topic.channel, topic, deadline);
      if (!topic.listeners.has(onMessage)) return null; // It no longer listens.
      const newest = await before(deadline, this.#newestWithOthers(topic), () => noReply(null));
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
    this.#subscriptions.unsubscribe(topic.partition, topic.channel);
  }

  /** Checks the newest positions that are due: a single channel may be lost silently. */
  check(): void {
    const earliest = performance.now() - CHECK_INTERVAL;
    const due = [...this.#topics.values()].filter(({ checkedAt }) => checkedAt < earliest);
    for (const topic of due) topic.checkedAt = performance.now();
    void this.#report(due, false);
  }

  close(): void {
    this.#topics.clear();
  }

  /** Checks after a lost subscription, also topics without history; joins the other checks of this turn. */
  #onRestored(topic: ListenedTopic): void {
    this.#restored.add(topic);
    if (this.#restored.size > 1) return;
    queueMicrotask(() => {
      const topics = [...this.#restored];
      this.#restored.clear();
      void this.#report(topics, true);
    });
  }
  readonly #restored = new Set<ListenedTopic>();

  async #report(topics: readonly ListenedTopic[], wasLost: boolean): Promise<void> {
    const groups = new Map<Partition, ListenedTopic[]>();
    for (const topic of topics) {
      const group = groups.get(topic.partition);
      if (group === undefined) groups.set(topic.partition, [topic]);
      else group.push(topic);
    }
    const reports: Promise<void>[] = [];
    for (const [partition, group] of groups) {
      for (let first = 0; first < group.length; first += CHECK_SIZE) {
        reports.push(this.#reportSome(partition, group.slice(first, first + CHECK_SIZE), wasLost));
      }
    }
    await Promise.all(reports);
  }

  async #reportSome(partition: Partition, topics: readonly ListenedTopic[], wasLost: boolean): Promise<void> {
    while (!this.#commands.isClosed) {
      try {
        const positions = await this.#newestOf(partition, topics);
        topics.forEach((topic, index) => {
          const position = positions[index] ?? null;
          if (wasLost || position !== null) topic.report(position);
        });
        return;
      } catch {
        // Retry only after a loss, which has to be reported. Otherwise the next check follows anyway.
        if (!wasLost) return;
        await sleep(RETRY_DELAY);
      }
    }
  }

  /** Joins the other topics of the partition that were subscribed at the same time. */
  async #newestWithOthers(topic: ListenedTopic): Promise<Position | null> {
    const { partition } = topic;
    let group = this.#asking.get(partition);
    if (group === undefined || group.topics.length === CHECK_SIZE) {
      const topics: ListenedTopic[] = [];
      const positions = Promise.resolve().then(() => {
        if (this.#asking.get(partition)?.topics === topics) this.#asking.delete(partition);
        return this.#newestOf(partition, topics);
      });
      this.#asking.set(partition, (group = { topics, positions }));
    }
    const index = group.topics.push(topic) - 1;
    return (await group.positions)[index] ?? null;
  }
  readonly #asking = new Map<
    Partition,
    { readonly topics: ListenedTopic[]; readonly positions: Promise<readonly (Position | null)[]> }
  >();

  async #newestOf(
    { prefix, slot }: Partition,
    topics: readonly ListenedTopic[],
  ): Promise<readonly (Position | null)[]> {
    const keys = topics.flatMap(({ name }) => [`${prefix}m:${name}`, `${prefix}s:${name}`]);
    const begins = topics.map((topic) => (topic.begins ? "1" : "0"));
    const { reply } = await this.#continuity.run(NEWEST, slot, keys, begins);
    const list = reply as readonly Reply[];
    return topics.map((_, index) => {
      const epoch = String(list[2 * index]);
      return epoch === "" ? null : { epoch, offset: Number(list[2 * index + 1]) };
    });
  }

  #topicOf(name: string): ListenedTopic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = new ListenedTopic(name, this.#partitions.of(name), (lost) => this.#onRestored(lost));
      this.#topics.set(name, topic);
    }
    return topic;
  }
}

class ListenedTopic implements ChannelHandler {
  readonly name: string;
  readonly partition: Partition;
  readonly channel: string;
  readonly listeners = new Map<MessageListener, NewestListener | undefined>();
  /** Whether its messages are published with history. */
  begins = false;
  checkedAt = performance.now();
  readonly #onLost: (topic: ListenedTopic) => void;

  constructor(name: string, partition: Partition, onLost: (topic: ListenedTopic) => void) {
    this.name = name;
    this.partition = partition;
    this.channel = `${partition.prefix}c:${name}`;
    this.#onLost = onLost;
  }

  onMessage(payload: Buffer): void {
    for (const message of decodeFrame(this.name, payload)) {
      for (const listener of this.listeners.keys()) listener(message);
    }
  }

  onRestored(): void {
    this.#onLost(this);
  }

  report(newest: Position | null): void {
    for (const listener of this.listeners.values()) listener?.(newest);
  }
}
