// The engine of topics over NATS.

import type { SessionStore } from "holdfast";
import type {
  Engine,
  MessageListener,
  NewestListener,
  Page,
  Position,
  PresenceStore,
  Publication,
  RequestHandler,
} from "holdfast/topics";
import { before, CALL_TIMEOUT, deadlineFromNow } from "../connection/deadline.js";
import { closedEngine, noReply } from "../connection/failures.js";
import { Link } from "../connection/link.js";
import { Names, randomId } from "../connection/names.js";
import { checkOptions, type CheckedOptions, type NatsEngineOptions } from "../options.js";
import { NatsPresence } from "../presence/nats-presence.js";
import { engineSessionStore } from "../sessions/nats-session-store.js";
import { guard, GuardedPresence } from "./guard.js";
import { History } from "./history.js";
import { TopicListeners } from "./listeners.js";
import { Publisher, type PublishResult } from "./publisher.js";
import { Requests } from "./requests.js";
import { TopicStreams } from "./topic-streams.js";

/** Milliseconds between two checks of which positions are due. */
const LISTENER_CHECK_INTERVAL = 2_000;
const TICK_INTERVAL = 1_000;
/** Milliseconds between two checks of presence. */
const CHECK_INTERVAL = 30_000;
/** Milliseconds between two searches for unused topics. */
const SWEEP_INTERVAL = 3_600_000;

/**
 * Connects topics over NATS JetStream: nats-server 2.9 or later.
 * @throws InvalidArgumentError
 */
export function natsEngine(options: NatsEngineOptions): Engine {
  return new NatsEngine(checkOptions("natsEngine", options));
}

let abandon: (engine: NatsEngine) => void;

/** Ends an engine abruptly, as SIGKILL does: for tests. */
export function abandonEngine(engine: Engine): void {
  if (engine instanceof NatsEngine) abandon(engine);
}

class NatsEngine implements Engine {
  static {
    abandon = (engine) => engine.#close();
  }

  readonly node = randomId();
  readonly presence: PresenceStore;
  readonly #options: CheckedOptions;
  readonly #link: Link;
  readonly #publisher: Publisher;
  readonly #listeners: TopicListeners;
  readonly #history: History;
  readonly #presence: NatsPresence;
  readonly #requests: Requests;
  readonly #timers: readonly NodeJS.Timeout[];
  #sessions: (SessionStore & AsyncDisposable) | null = null;
  #isClosed = false;

  constructor(options: CheckedOptions) {
    this.#options = options;
    const names = new Names(options.prefix);
    const link = new Link(options.connection);
    const streams = new TopicStreams(link, names, options);
    this.#link = link;
    this.#publisher = new Publisher(link, names, streams);
    this.#listeners = new TopicListeners(link, names, streams);
    this.#history = new History(link, names, streams);
    this.#presence = new NatsPresence(this.node, link, names, options);
    this.presence = new GuardedPresence(this.#presence, () => this.#isClosed);
    this.#requests = new Requests(this.node, link, names);
    this.#timers = [
      setInterval(() => this.#listeners.check(), LISTENER_CHECK_INTERVAL),
      setInterval(() => this.#presence.tick(), TICK_INTERVAL),
      setInterval(() => this.#presence.check(), CHECK_INTERVAL),
      setInterval(() => void streams.sweep().catch(() => {}), SWEEP_INTERVAL),
    ];
  }

  get sessions(): SessionStore {
    return (this.#sessions ??= engineSessionStore(this.#options, this.#link));
  }

  publish(batch: readonly Publication[]): Promise<readonly PublishResult[]> {
    return this.#isClosed ? Promise.reject(closedEngine()) : this.#publisher.publish(batch);
  }

  listen(topic: string, onMessage: MessageListener, onNewest?: NewestListener): Promise<Position | null> {
    return this.#guard(() => this.#listeners.listen(topic, onMessage, onNewest));
  }

  ignore(topic: string, onMessage?: MessageListener): void {
    this.#listeners.ignore(topic, onMessage);
  }

  read(topic: string, after: Position, limit: number): Promise<Page> {
    return this.#guard(() =>
      before(deadlineFromNow(CALL_TIMEOUT), this.#history.read(topic, after, limit), noReply),
    );
  }

  request(node: string, body: Uint8Array, timeout: number): Promise<Uint8Array> {
    return this.#guard(() => this.#requests.request(node, body, timeout));
  }

  answer(handler: RequestHandler | null): void {
    this.#requests.handler = handler;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await before(deadlineFromNow(), this.#presence.close(), closedEngine).catch(() => {}); // The lease ends anyway.
    this.#close();
  }

  #close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#requests.close();
    this.#listeners.close();
    this.#presence.stop();
    void this.#sessions?.[Symbol.asyncDispose]();
    this.#link.close();
  }

  #guard<Result>(act: () => Promise<Result>): Promise<Result> {
    return guard(this.#isClosed, act);
  }
}
