// The engine of one process: for development and tests, and for servers with a single process.

import { EngineUnavailableError } from "../../shared/engine-unavailable-error.js";
import type { Runtime } from "../../connection/runtime.js";
import { memoryStore } from "../../session/store/memory-store.js";
import type { SessionStore } from "../../session/store/session-store.js";
import { Alarm } from "../../connection/timer-queue.js";
import type {
  Engine,
  MessageListener,
  NewestListener,
  Page,
  Publication,
  Published,
  RequestHandler,
} from "../engine/engine.js";
import type { Position } from "../position.js";
import { attempt } from "./attempt.js";
import { MemoryPresence } from "./memory-presence.js";
import { MemoryTopic } from "./memory-topic.js";

/**
 * Milliseconds between two searches for expired messages. Expired messages are never returned, even before they are
 * removed.
 */
const SWEEP_INTERVAL = 10_000;

export class MemoryEngine implements Engine {
  readonly node: string;
  readonly presence: MemoryPresence;
  readonly sessions: SessionStore = memoryStore();
  readonly #runtime: Runtime;
  readonly #topics = new Map<string, MemoryTopic>();
  /** Null while no search for expired messages is due. */
  #cancelSweep: (() => void) | null = null;
  #handler: RequestHandler | null = null;
  #isClosed = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.node = runtime.nextId();
    this.presence = new MemoryPresence(() => this.#runtime.nextId());
  }

  publish(batch: readonly Publication[]): Promise<readonly Published[]> {
    return this.#attempt(() => {
      const now = this.#now();
      const published = batch.map((publication) =>
        this.#topicOf(publication.topic).publish(publication, now),
      );
      this.#sweepLater();
      return published;
    });
  }

  listen(
    topic: string,
    onMessage: MessageListener,
    _onNewest?: NewestListener,
    begins = false,
  ): Promise<Position | null> {
    return this.#attempt(() => {
      const found = this.#topicOf(topic);
      if (begins) found.begin(this.#now());
      found.listeners.add(onMessage);
      return found.newest;
    });
  }

  ignore(topic: string, onMessage?: MessageListener): void {
    const found = this.#topics.get(topic);
    if (onMessage === undefined) found?.listeners.clear();
    else found?.listeners.delete(onMessage);
    if (found?.isEmpty(this.#now()) === true) this.#topics.delete(topic);
  }

  read(topic: string, after: Position, limit: number): Promise<Page> {
    return this.#attempt(() => {
      const found = this.#topics.get(topic);
      return found?.read(after, limit, this.#now()) ?? { messages: [], isComplete: false, newest: null };
    });
  }

  request(node: string, body: Uint8Array, timeout: number): Promise<Uint8Array> {
    if (this.#isClosed) return Promise.reject(closed());
    const handler = this.#handler;
    if (node !== this.node || handler === null) {
      const message = "There is no such process, or it answers no requests.";
      return Promise.reject(new EngineUnavailableError(message, "unsent"));
    }
    const { timers, clock } = this.#runtime;
    return new Promise((resolve, reject) => {
      const onAlarm = (): void =>
        reject(new EngineUnavailableError(`The process did not answer within ${timeout} ms.`, "unknown"));
      const alarm = new Alarm({ onAlarm });
      timers.set(alarm, clock.now() + timeout);
      attempt(() => handler(new Uint8Array(body)))
        .then(resolve, (cause: unknown) =>
          reject(new EngineUnavailableError("The process failed to answer.", "unknown", cause)),
        )
        .finally(() => timers.cancel(alarm));
    });
  }

  answer(handler: RequestHandler | null): void {
    this.#handler = handler;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#cancelSweep?.();
    this.#topics.clear();
    this.presence.close();
    return Promise.resolve();
  }

  #attempt<Result>(act: () => Result): Promise<Result> {
    return attempt(() => {
      if (this.#isClosed) throw closed();
      return act();
    });
  }

  #topicOf(name: string): MemoryTopic {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const topic = new MemoryTopic(name, () => this.#runtime.nextId());
    this.#topics.set(name, topic);
    return topic;
  }

  #sweepLater(): void {
    // A process that has nothing else to do may end.
    this.#cancelSweep ??= this.#runtime.clock.setTimer(SWEEP_INTERVAL, () => this.#sweep(), true);
  }

  #sweep(): void {
    this.#cancelSweep = null;
    const now = this.#now();
    let mayExpire = false;
    for (const [name, topic] of this.#topics) {
      topic.expire(now);
      if (topic.isEmpty(now)) this.#topics.delete(name);
      else mayExpire ||= topic.mayExpire;
    }
    if (mayExpire) this.#sweepLater();
  }

  #now(): number {
    return this.#runtime.clock.now();
  }
}

function closed(): EngineUnavailableError {
  return new EngineUnavailableError("The engine is closed: create a new one.", "unsent");
}
