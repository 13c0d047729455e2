// The state of topics in one process: the subscriptions of connections. `Topics` is its facade.

/* eslint max-lines: ["warn", { "max": 255, "skipBlankLines": true, "skipComments": true }] -- It passes each event between its parts, which have their own files. */

import { Listeners } from "../connection/listeners.js";
import type { Connection } from "../connection/connection.js";
import { coreOf } from "../connection/core-of.js";
import { checkFaultLogger } from "../connection/log/adapted-logger.js";
import type { Runtime } from "../connection/runtime.js";
import { ignore, quietly } from "../shared/deferred.js";
import { InvalidStateError } from "../shared/errors.js";
import { checkOptionNames } from "../shared/option-names.js";
import { ClientRequests, type ClientRequestHandler, type OpenOptions } from "./client-requests.js";
import type { TopicsDiagnosticsMessages, TopicsObserver } from "./diagnostics.js";
import { EngineHealth } from "./engine-health.js";
import type { Engine, HistoryLimits, Published } from "./engine/engine.js";
import type { Joined, LocalTopicHandler, NewReceiver } from "./local-topic-handler.js";
import { LocalTopic } from "./local-topic.js";
import { MemberIds } from "./member-ids.js";
import { MemoryEngine } from "./memory/memory-engine.js";
import {
  checkEngine,
  checkHistory,
  checkReceiverSettings,
  requireSize,
  TOPICS_OPTIONS,
  type TopicsOptions,
} from "./options.js";
import type { Position } from "./position.js";
import type { PresenceUpdate } from "./presence-watch.js";
import { PresenceWatches } from "./presence-watches.js";
import { Publisher } from "./publisher.js";
import { Receiver } from "./receiver.js";
import type { TopicsEvents } from "./topics-events.js";
import { UnreadLinks } from "./unread-links.js";

const NO_TOPICS: ReadonlyMap<string, unknown> = new Map();

/** A connection that subscribes, or is allowed to. */
interface TopicsClient {
  readonly receivers: Map<string, Receiver>;
  requests: ClientRequests | null;
}

export class TopicsCore implements LocalTopicHandler, ClientRequestHandler {
  readonly runtime: Runtime;
  readonly engine: Engine;
  readonly observer: TopicsObserver;
  readonly health: EngineHealth;
  readonly history: HistoryLimits | null;
  readonly maxRecovery: number;
  readonly publisher: Publisher;
  readonly listeners: Listeners<TopicsEvents>;
  readonly #faultLogger;
  readonly #ownsEngine: boolean;
  readonly #topics = new Map<string, LocalTopic>();
  readonly #clients = new Map<Connection, TopicsClient>();
  readonly #watches: PresenceWatches;
  readonly #memberIds: MemberIds;
  readonly #unread: UnreadLinks;
  /** Receivers that are being removed from the engine, and nobody waits for that. */
  readonly #leaving = new Set<Promise<void>>();
  #isClosed = false;

  constructor(runtime: Runtime, options: TopicsOptions, observer: TopicsObserver) {
    checkOptionNames("createTopics()", options, TOPICS_OPTIONS);
    const engine = checkEngine(options.engine);
    this.runtime = runtime;
    this.history = checkHistory(options.history, null);
    this.maxRecovery = requireSize("maxRecovery", options.maxRecovery, 1_000);
    this.#ownsEngine = engine === null;
    this.engine = engine ?? new MemoryEngine(runtime);
    this.observer = observer;
    this.health = new EngineHealth(this.engine, observer);
    this.publisher = new Publisher(this.engine, runtime, observer, this.health);
    this.#watches = new PresenceWatches(this);
    this.#memberIds = new MemberIds(this.engine);
    this.#unread = new UnreadLinks(runtime);
    this.#faultLogger = checkFaultLogger(options.logger, runtime.platform);
    this.listeners = new Listeners(runtime.platform, this.#faultLogger);
  }

  checkOpen(): void {
    if (this.#isClosed) throw new InvalidStateError("These topics are closed. Create new ones.");
  }

  /** Allows a client to subscribe by its own requests. */
  open(connection: Connection, options: OpenOptions & { readonly maxSubscriptions: number }): void {
    this.#requestsOf(connection)?.allow(options);
  }

  async add(connection: Connection, name: string, options: NewReceiver): Promise<void> {
    const { settings, isAsked } = options;
    this.checkOpen();
    if (connection.state !== "open") {
      throw new InvalidStateError(
        `Expected a connection that is open, got one that is ${connection.state}. Subscribe while it is open.`,
      );
    }
    const { receivers } = this.#clientOf(connection);
    const requests = this.#requestsOf(connection);
    const known = receivers.get(name);
    const topic = this.#topics.get(name) ?? new LocalTopic(name, this);
    this.#topics.set(name, topic);
    const receiver = known ?? new Receiver(connection, topic.escapedName, settings);
    if (!isAsked && requests?.deciding !== name) receiver.isOffered = true;
    if (receiver.joining !== null) {
      // One at a time, since an earlier call may fail, which ends a new subscription. A client then asks again.
      await (isAsked ? receiver.joining : receiver.joining.catch(ignore));
      return this.add(connection, name, options);
    }
    if (known === undefined) {
      receivers.set(name, receiver);
      topic.reserve();
      this.#emit("holdfast:topic:subscribe", { topic: name, connection });
    }
    if (requests !== null) this.#unread.watch(receiver, topic, requests);
    const joining = this.#join(receiver, topic, known === undefined, options);
    receiver.joining = quietly(joining.finally(() => (receiver.joining = null)));
    return receiver.joining;
  }

  async remove(connection: Connection, name: string): Promise<void> {
    this.#clients.get(connection)?.receivers.get(name)?.sendEnd();
    await this.unsubscribe(connection, name);
  }

  async watch(topic: string, onChange: (update: PresenceUpdate) => void): Promise<() => void> {
    this.checkOpen();
    return this.#watches.add(topic, onChange);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#watches.stop();
    const leaving = [...this.#clients].flatMap(([connection, { receivers }]) =>
      [...receivers.keys()].map((name) => this.remove(connection, name)),
    );
    await Promise.all([...leaving, ...this.#leaving]);
    this.#memberIds.release();
    if (this.#ownsEngine) await this.engine[Symbol.asyncDispose]();
  }

  /** The subscriptions of a connection, by topic. */
  topicsOf(connection: Connection): ReadonlyMap<string, unknown> {
    return this.#clients.get(connection)?.receivers ?? NO_TOPICS;
  }

  // ClientRequestHandler

  subscriptionsOf(connection: Connection): number {
    return this.#clients.get(connection)?.receivers.size ?? 0;
  }

  isSubscribed(connection: Connection, topic: string): boolean {
    return this.#clients.get(connection)?.receivers.has(topic) ?? false;
  }

  isOffered(connection: Connection, topic: string): boolean {
    return this.#clients.get(connection)?.receivers.get(topic)?.isOffered ?? false;
  }

  subscribe(
    connection: Connection,
    topic: string,
    since: Position | null,
    onJoined: (joined: Joined) => void,
  ): Promise<void> {
    const settings = checkReceiverSettings({});
    return this.add(connection, topic, { since, presence: undefined, settings, onJoined, isAsked: true });
  }

  /** Does not notify the client, which requested it. */
  async unsubscribe(connection: Connection, topic: string): Promise<void> {
    const receivers = this.#clients.get(connection)?.receivers;
    const receiver = receivers?.get(topic);
    receivers?.delete(topic);
    if (receiver !== undefined) await this.#drop(topic, receiver);
  }

  async publish(topic: string, data: Uint8Array | string, id: string | null): Promise<Published> {
    this.checkOpen();
    return this.publisher.publish({ topic, data, id, history: this.history, compress: true }, null);
  }

  // LocalTopicHandler

  onGap({ connection }: Receiver, topic: string, after: Position | null, position: Position | null): void {
    this.#emit("holdfast:topic:gap", { topic, connection, after, position });
    if (this.listeners.has("gap"))
      this.listeners.emit("gap", { type: "gap", connection, topic, after, position });
  }

  onRetry(topic: string, what: "history" | "presence", error: unknown, delay: number): void {
    this.onError(`the ${what} of a topic cannot be read`, error);
    this.health.onFailure(error);
    this.#emit("holdfast:topic:retry", { topic, what, error, delay });
  }

  onRefused(refusal: TopicsDiagnosticsMessages["holdfast:topic:refused"]): void {
    this.#emit("holdfast:topic:refused", refusal);
  }

  onError(message: string, error: unknown, connection?: Connection): void {
    const logger = connection === undefined ? this.#faultLogger : coreOf(connection).settings.faultLogger;
    logger?.error(message, connection === undefined ? { error } : { id: connection.id, error });
  }

  #clientOf(connection: Connection): TopicsClient {
    const known = this.#clients.get(connection);
    if (known !== undefined) return known;
    const client: TopicsClient = { receivers: new Map(), requests: null };
    this.#clients.set(connection, client);
    void coreOf(connection).whenEnded.then(() => {
      this.#clients.delete(connection);
      for (const [name, receiver] of client.receivers) this.#leave(name, receiver);
    });
    return client;
  }

  /** Made with the first subscription, so that a client can take it up again. Null without the link protocol. */
  #requestsOf(connection: Connection): ClientRequests | null {
    const client = this.#clientOf(connection);
    const { link } = coreOf(connection);
    if (client.requests !== null || link === null) return client.requests;
    client.requests = new ClientRequests(connection, this);
    client.requests.begin(link);
    return client.requests;
  }

  async #join(
    receiver: Receiver,
    topic: LocalTopic,
    isNew: boolean,
    { since, presence, onJoined }: NewReceiver,
  ): Promise<void> {
    try {
      await topic.listening;
      if (presence !== undefined && !receiver.isGone) await this.#addMember(receiver, topic.name, presence);
      if (receiver.isGone) onJoined({ recovered: false, position: null });
      else if (!isNew && since === null) {
        onJoined({ recovered: false, position: topic.positionOf(receiver) });
      } else await topic.join(receiver, since, onJoined);
      // The server has unsubscribed it meanwhile: the client ignored that, since it waited for the answer.
      if (receiver.isGone) receiver.sendEnd();
    } catch (error) {
      if (isNew && !receiver.isGone) {
        this.#clients.get(receiver.connection)?.receivers.delete(topic.name);
        this.#leave(topic.name, receiver);
      }
      throw error;
    }
  }

  async #addMember(receiver: Receiver, name: string, data: unknown): Promise<void> {
    const id = this.#memberIds.of(receiver.connection.id);
    const isNew = !receiver.isMember;
    receiver.isMember = true;
    await this.health.watch(this.engine.presence.join(name, { id, data }));
    if (isNew)
      this.#emit("holdfast:topic:presence", { topic: name, connection: receiver.connection, change: "join" });
    if (!receiver.isGone) return;
    const { isMember = false } = this.#clients.get(receiver.connection)?.receivers.get(name) ?? {};
    if (!isMember) await this.engine.presence.leave(name, id); // Otherwise it is that of a newer subscription.
  }

  #emit<Name extends keyof TopicsDiagnosticsMessages>(
    channel: Name,
    message: TopicsDiagnosticsMessages[Name],
  ): void {
    if (this.observer.wants(channel)) this.observer.emit(channel, message);
  }

  /** Does not wait for the engine, which may be down. */
  #leave(name: string, receiver: Receiver): void {
    const dropped = this.#drop(name, receiver).finally(() => this.#leaving.delete(dropped));
    this.#leaving.add(dropped);
  }

  async #drop(name: string, receiver: Receiver): Promise<void> {
    const topic = this.#topics.get(name);
    const { connection } = receiver;
    if (!receiver.isGone) this.#emit("holdfast:topic:unsubscribe", { topic: name, connection });
    topic?.leave(receiver);
    if (topic?.isUnused === true) {
      this.#topics.delete(name);
      topic.close();
    }
    if (!receiver.isMember) return;
    this.#emit("holdfast:topic:presence", { topic: name, connection, change: "leave" });
    try {
      await this.engine.presence.leave(name, this.#memberIds.of(connection.id));
    } catch (error) {
      this.onError("a member could not be removed from a topic", error);
    }
  }
}
