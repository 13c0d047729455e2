// One topic of the memory engine: its history, the ids that it remembers, and its listeners.

import {
  DUPLICATE_WINDOW,
  POSITION_LIFETIME,
  type HistoryLimits,
  type MessageListener,
  type Page,
  type Publication,
  type Published,
} from "../engine/engine.js";
import type { Position } from "../position.js";
import type { TopicMessage } from "../topic-event.js";

interface KeptMessage {
  readonly message: TopicMessage;
  readonly offset: number;
  readonly publishedAt: number;
}

interface KnownId {
  readonly published: Published;
  readonly publishedAt: number;
}

export class MemoryTopic {
  readonly listeners = new Set<MessageListener>();
  readonly #name: string;
  readonly #newEpoch: () => string;
  /** Null before the history begins. */
  #epoch: string | null = null;
  #offset = 0;
  #lastAt = -Infinity;
  #limits: HistoryLimits = { messages: 0, age: 0 };
  /**
   * In order. Messages before `#first` are removed together, because removing the first element of an array copies the
   * rest.
   */
  #history: KeptMessage[] = [];
  #first = 0;
  /** Ordered by age. */
  readonly #ids = new Map<string, KnownId>();

  constructor(name: string, newEpoch: () => string) {
    this.#name = name;
    this.#newEpoch = newEpoch;
  }

  get newest(): Position | null {
    return this.#epoch === null ? null : { epoch: this.#epoch, offset: this.#offset };
  }

  /** Whether it holds anything that expires. */
  get mayExpire(): boolean {
    return this.#ids.size > 0 || this.#epoch !== null;
  }

  /** Begins the history if there is none. Returns its epoch. */
  begin(now: number): string {
    if (this.#epoch === null) this.#lastAt = now;
    return (this.#epoch ??= this.#newEpoch());
  }

  publish({ data, id, history, compress }: Publication, now: number): Published {
    this.expire(now);
    const known = id === null ? undefined : this.#ids.get(id);
    if (known !== undefined) return { ...known.published, isDuplicate: true };

    const place = history === null ? { offset: null, epoch: null } : this.#nextPlace(now);
    const ownData = typeof data === "string" ? data : new Uint8Array(data);
    const message: TopicMessage = { type: "message", topic: this.#name, data: ownData, ...place, compress };
    if (history !== null) {
      this.#history.push({ message, offset: this.#offset, publishedAt: now });
      this.#limits = history;
      this.expire(now);
    }
    const published = { ...place, isDuplicate: false };
    if (id !== null) this.#ids.set(id, { published, publishedAt: now });
    for (const listener of this.listeners) listener(message);
    return published;
  }

  read(after: Position, limit: number, now: number): Page {
    this.expire(now);
    const { newest } = this;
    if (newest === null) return { messages: [], isComplete: false, newest };
    const isSameHistory = after.epoch === newest.epoch && after.offset <= newest.offset;
    const oldest = this.#history[this.#first]?.offset ?? newest.offset + 1;
    const start = isSameHistory ? Math.max(after.offset + 1, oldest) : oldest;
    const place = this.#first + start - oldest;
    return {
      messages: this.#history.slice(place, place + limit).map(({ message }) => message),
      isComplete: isSameHistory && start === after.offset + 1,
      newest,
    };
  }

  /** Removes messages and ids beyond the limits of age and number. */
  expire(now: number): void {
    for (const [id, { publishedAt }] of this.#ids) {
      if (now - publishedAt < DUPLICATE_WINDOW) break;
      this.#ids.delete(id);
    }
    const { messages, age } = this.#limits;
    while (
      this.#first < this.#history.length &&
      (this.#history.length - this.#first > messages || now - this.#history[this.#first].publishedAt >= age)
    ) {
      this.#first++;
    }
    if (this.#first < this.#history.length / 2) return;
    this.#history = this.#history.slice(this.#first);
    this.#first = 0;
  }

  /** Whether removing the topic would change nothing. */
  isEmpty(now: number): boolean {
    const isPositionKnown = this.#epoch !== null && now - this.#lastAt < POSITION_LIFETIME;
    return this.listeners.size === 0 && this.#ids.size === 0 && !isPositionKnown;
  }

  #nextPlace(now: number): Position {
    const epoch = this.begin(now);
    this.#lastAt = now;
    return { epoch, offset: ++this.#offset };
  }
}
