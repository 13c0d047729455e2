// One stream for each topic with history. The stream's sequence is the offset, and its limits are those of the topic.
// The server forwards each stored message to the subscribers, with its sequence (`republish`).

import {
  DiscardPolicy,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { DUPLICATE_WINDOW, POSITION_LIFETIME, type HistoryLimits, type Position } from "holdfast/topics";
import type { Link } from "../connection/link.js";
import { codeOf, NAME_IN_USE, STREAM_NOT_FOUND } from "../connection/failures.js";
import { hashOf, randomId, type Names } from "../connection/names.js";
import type { CheckedOptions } from "../options.js";

/** The stream of a topic, as its publishers and readers know it. */
export interface TopicStream {
  /** Distinguishes this stream from earlier ones of the same topic. It is part of the subject, and so of each epoch. */
  readonly token: string;
  readonly limits: HistoryLimits;
  readonly first: number;
  readonly last: number;
}

export class TopicStreams {
  readonly #link: Link;
  readonly #names: Names;
  readonly #options: CheckedOptions;
  #idStream: Promise<void> | null = null;

  constructor(link: Link, names: Names, options: CheckedOptions) {
    this.#link = link;
    this.#names = names;
    this.#options = options;
  }

  epochOf(token: string): string {
    return `${token}.${this.#link.serverLife}`;
  }

  newestOf({ token, last }: TopicStream): Position {
    return { epoch: this.epochOf(token), offset: last };
  }

  /** The stream of a topic; null if it has no history. */
  async find(topic: string): Promise<TopicStream | null> {
    const name = this.#names.stream(hashOf(topic));
    try {
      return describe(await this.#link.jetStream((manager) => manager.streams.info(name)));
    } catch (error) {
      if (codeOf(error) === STREAM_NOT_FOUND) return null;
      throw error;
    }
  }

  /** Returns the topic's stream with these limits. If several processes create it at once, one succeeds. */
  async ensure(topic: string, limits: HistoryLimits, deadline: number): Promise<TopicStream> {
    for (let attempt = 0; ; attempt++) {
      const found = await this.find(topic);
      if (found !== null && isSame(found.limits, limits)) return found;
      const hash = hashOf(topic);
      const config = this.#configOf(hash, found?.token ?? randomId(), limits);
      try {
        return describe(
          await this.#link.jetStream(
            (manager) =>
              found === null ? manager.streams.add(config) : manager.streams.update(config.name, config),
            deadline,
          ),
        );
      } catch (error) {
        const isRace = [NAME_IN_USE, STREAM_NOT_FOUND].includes(codeOf(error));
        if (!isRace || attempt >= 3) throw error;
      }
    }
  }

  /** The stream that remembers ids of messages without history. */
  ensureIds(deadline: number): Promise<void> {
    this.#idStream ??= this.#link
      .jetStream(async (manager) => {
        const subject = this.#names.withId("*");
        await manager.streams.add({
          ...this.#common(this.#names.idStream, subject),
          storage: StorageType.Memory,
          max_msgs: 1,
          max_age: nanos(DUPLICATE_WINDOW),
          republish: { src: subject, dest: `${this.#names.delivered("{{wildcard(1)}}")}.n` },
        });
      }, deadline)
      .catch((error: unknown) => {
        this.#idStream = null;
        throw error;
      });
    return this.#idStream;
  }

  /** The server lost it. */
  forgetIds(): void {
    this.#idStream = null;
  }

  /** Deletes streams whose newest message is older than a position is remembered. */
  async sweep(): Promise<void> {
    const subject = this.#names.stored("*", "*");
    await this.#link.jetStream(async (manager) => {
      for await (const { config, state } of manager.streams.list(subject)) {
        const age = Date.now() - Date.parse(state.last_ts);
        const limit = Math.max(POSITION_LIFETIME, limitsOf(config).age);
        if (state.messages === 0 && state.last_seq > 0 && age > limit)
          await manager.streams.delete(config.name);
      }
    });
  }

  #configOf(hash: string, token: string, { messages, age }: HistoryLimits): StreamConfigToAdd {
    const src = this.#names.stored(hash, token);
    return {
      ...this.#common(this.#names.stream(hash), src),
      description: `holdfast ${messages} ${age}`,
      storage: this.#options.storage === "file" ? StorageType.File : StorageType.Memory,
      max_msgs: messages,
      // The server forgets an id with its message, so messages are kept longer than the topic's limit; readers skip
      // them.
      max_age: nanos(Math.max(age, DUPLICATE_WINDOW)),
      republish: { src, dest: `${this.#names.delivered(hash)}.m.${token}` },
    };
  }

  #common(name: string, subject: string): { name: string } & Partial<StreamConfig> {
    return {
      name,
      subjects: [subject],
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      duplicate_window: nanos(DUPLICATE_WINDOW),
      num_replicas: this.#options.replicas,
      allow_direct: true,
    };
  }
}

type StreamConfigToAdd = { name: string } & Partial<StreamConfig>;

function describe({ config, state }: StreamInfo): TopicStream {
  const token = config.subjects.at(0)?.split(".").at(-1) ?? "";
  return { token, limits: limitsOf(config), first: state.first_seq, last: state.last_seq };
}

function limitsOf(config: StreamConfig): HistoryLimits {
  const [, messages, age] = (config.description ?? "").split(" ").map(Number);
  return { messages: messages ?? config.max_msgs, age: age ?? config.max_age / 1e6 };
}

export function isSame(one: HistoryLimits, other: HistoryLimits): boolean {
  return one.messages === other.messages && one.age === other.age;
}
