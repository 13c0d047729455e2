// The engine of topics over Redis.

import { randomBytes } from "node:crypto";
import type { SessionStore } from "holdfast";
import type {
  Engine,
  EngineUnavailableError,
  MessageListener,
  NewestListener,
  Page,
  Position,
  PresenceStore,
  Publication,
  Published,
  RequestHandler,
} from "holdfast/topics";
import { connectorOf } from "../client/connector.js";
import { checkOptions, type RedisEngineOptions } from "../options.js";
import { RedisPresence } from "../presence/redis-presence.js";
import { Commands } from "../routing/commands.js";
import { before, deadlineFromNow } from "../routing/deadline.js";
import { closedEngine } from "../routing/failures.js";
import { Partitions } from "../routing/partitions.js";
import { redisSessionStore } from "../sessions/redis-session-store.js";
import { guard, GuardedPresence } from "./guard.js";
import { Continuity } from "./continuity.js";
import { readHistory } from "./history.js";
import { TopicListeners } from "./listeners.js";
import { Publisher } from "./publisher.js";
import { Replication } from "./replication.js";
import { Requests } from "./requests.js";
import { Subscriptions, type ChannelHandler } from "./subscriptions.js";

/** Milliseconds between two signs of life on each subscription. */
const CANARY_INTERVAL = 2_000;
const TICK_INTERVAL = 1_000;
/** Milliseconds between two checks of presence. */
const CHECK_INTERVAL = 30_000;

/**
 * Connects topics over Redis 7.0 or later, or a cluster of it.
 * @throws InvalidArgumentError
 */
export function redisEngine(options: RedisEngineOptions): Engine {
  return new RedisEngine(options);
}

let abandon: (engine: RedisEngine) => void;

/** Ends an engine abruptly, as SIGKILL does: for tests. */
export function abandonEngine(engine: Engine): void {
  if (engine instanceof RedisEngine) abandon(engine);
}

class RedisEngine implements Engine, ChannelHandler {
  static {
    abandon = (engine) => engine.#close();
  }

  readonly node = randomId();
  readonly presence: PresenceStore;
  readonly #options: RedisEngineOptions;
  /** Created on demand, because it has its own connection. */
  #sessions: (SessionStore & AsyncDisposable) | null = null;
  readonly #commands: Commands;
  readonly #partitions: Partitions;
  readonly #subscriptions: Subscriptions;
  readonly #continuity: Continuity;
  readonly #publisher: Publisher;
  readonly #listeners: TopicListeners;
  readonly #presence: RedisPresence;
  readonly #requests: Requests;
  readonly #timers: readonly NodeJS.Timeout[];
  #isClosed = false;

  constructor(options: RedisEngineOptions) {
    const { client, prefix, durability } = checkOptions(options);
    const connector = connectorOf(client);
    this.#options = options;
    const { database } = connector;
    // Channels are those of all databases.
    this.#partitions = new Partitions(database === 0 ? prefix : `${prefix}${database}:`);
    this.#commands = new Commands(connector);
    this.#subscriptions = new Subscriptions(connector, this.#commands);
    const replication = durability === "replicated" ? new Replication() : null;
    this.#commands.onMoved = (slot, address) => this.#subscriptions.onMoved(slot, address);
    this.#continuity = new Continuity(this.#commands, newIds());
    this.#publisher = new Publisher(connector.isCluster, this.#partitions, this.#continuity, replication);
    this.#listeners = new TopicListeners(
      this.#commands,
      this.#partitions,
      this.#subscriptions,
      this.#continuity,
    );
    this.#presence = new RedisPresence(
      this.node,
      this.#commands,
      this.#partitions,
      this.#subscriptions,
      randomId,
    );
    this.presence = new GuardedPresence(this.#presence, () => this.#isClosed);
    this.#requests = new Requests(this.node, this.#commands, this.#partitions);
    this.#timers = [
      setInterval(() => this.#sendCanaries(), CANARY_INTERVAL),
      setInterval(() => this.#presence.tick(), TICK_INTERVAL),
      setInterval(() => this.#presence.check(), CHECK_INTERVAL),
      setInterval(() => void this.#continuity.observe(), CHECK_INTERVAL),
    ];
    this.#listenToOwn();
  }

  get sessions(): SessionStore {
    const { client, prefix } = this.#options;
    return (this.#sessions ??= redisSessionStore({ client, prefix }));
  }

  publish(batch: readonly Publication[]): Promise<readonly (EngineUnavailableError | Published)[]> {
    return this.#isClosed ? Promise.reject(closedEngine()) : this.#publisher.publish(batch);
  }

  listen(
    topic: string,
    onMessage: MessageListener,
    onNewest?: NewestListener,
    begins = false,
  ): Promise<Position | null> {
    return this.#guard(() => this.#listeners.listen(topic, onMessage, onNewest, begins));
  }

  ignore(topic: string, onMessage?: MessageListener): void {
    this.#listeners.ignore(topic, onMessage);
  }

  read(topic: string, after: Position, limit: number): Promise<Page> {
    return this.#guard(() => readHistory(this.#continuity, this.#partitions, topic, after, limit));
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
    await before(deadlineFromNow(), this.#presence.close(), closedEngine).catch(() => {}); // Leases end anyway.
    this.#close();
  }

  // ChannelHandler, for the engine's own channels

  onMessage(payload: Buffer): void {
    this.#requests.onMessage(payload);
  }

  onRestored(): void {
    // Lost requests are not answered, and time out.
  }

  #close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) clearInterval(timer);
    void this.#sessions?.[Symbol.asyncDispose]();
    this.#requests.close();
    this.#listeners.close();
    this.#subscriptions.close();
    this.#commands.close();
  }

  #sendCanaries(): void {
    this.#listenToOwn();
    this.#subscriptions.checkSilence();
    for (const partition of this.#subscriptions.partitions) this.#requests.sendCanary(partition);
    this.#listeners.check();
  }

  /** Subscribes to this process's channel in each partition in which it has topics or answers requests. */
  #listenToOwn(): void {
    const home = this.#requests.homeOf(this.node);
    for (const partition of [home, ...this.#subscriptions.partitions]) {
      const channel = this.#requests.channelOf(this.node, partition);
      if (partition !== home && !this.#subscriptions.hasOthers(partition, channel)) {
        this.#subscriptions.unsubscribe(partition, channel);
      } else {
        void this.#subscriptions.subscribe(partition, channel, this).catch(() => {}); // It is tried on and on.
      }
    }
  }

  #guard<Result>(act: () => Promise<Result>): Promise<Result> {
    return guard(this.#isClosed, act);
  }
}

/** As unique as random ids, and cheaper: each script takes one. */
function newIds(): () => string {
  const beginning = randomId();
  let count = 0;
  return () => beginning + (count++).toString(36);
}

/** 96 bits. */
function randomId(): string {
  return randomBytes(12).toString("base64url");
}
