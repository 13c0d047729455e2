// `Topics`: publish, subscribe and presence, for the connections of this process and, over an engine, of others.

import { bindToContext } from "../connection/platform.js";
import { Listeners } from "../connection/listeners.js";
import { Connection, coreOf } from "../connection/connection.js";
import { toBytes, type Bytes } from "../connection/arguments.js";
import type { Runtime } from "../connection/runtime.js";
import { Alarm } from "../connection/timer-queue.js";
import { InvalidArgumentError, InvalidStateError } from "../shared/errors.js";
import {
  checkBoolean,
  checkFunction,
  checkSignal,
  invalidArgument,
  requireChoice,
} from "../shared/option-checks.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { TextBytes } from "../shared/text-bytes.js";
import { ClientRequests, type ClientRequestHandler, type OpenOptions } from "./client-requests.js";
import type { Engine, HistoryLimits, Published } from "./engine/engine.js";
import type { Member } from "./engine/presence-store.js";
import { LocalTopic, type Joined, type LocalTopicHandler } from "./local-topic.js";
import { MemoryEngine } from "./memory/memory-engine.js";
import {
  checkEngine,
  checkHistory,
  checkId,
  checkPresence,
  checkReceiverSettings,
  checkSince,
  PUBLISH_OPTIONS,
  requireSize,
  SUBSCRIBE_OPTIONS,
  TOPICS_OPTIONS,
  type PublishOptions,
  type SubscribeOptions,
  type TopicsOptions,
} from "./options.js";
import type { Position } from "./position.js";
import { PresenceWatch, type PresenceUpdate } from "./presence-watch.js";
import { Publisher } from "./publisher.js";
import { Receiver } from "./receiver.js";
import type { TopicGap } from "./topic-event.js";
import { checkTopic } from "./topic-name.js";

/** The events of `Topics.on()`, by name. */
export interface TopicsEvents {
  /** A subscriber of this process has missed messages. */
  readonly gap: TopicGap & { readonly connection: Connection };
}

const OPEN_OPTIONS: OptionNames<OpenOptions> = { authorize: true, publish: true, maxSubscriptions: true };
const EVENT_NAMES: readonly (keyof TopicsEvents)[] = ["gap"];
/** Milliseconds until the members are listed again where that failed. */
const LIST_AGAIN_AFTER = 1_000;

let create: (runtime: Runtime, options: TopicsOptions) => Topics;

/**
 * Opens topics.
 * @throws InvalidArgumentError
 */
export function openTopics(runtime: Runtime, options: TopicsOptions): Topics {
  return create(runtime, options);
}

/** Topics of connections, created by `createTopics()`. */
export class Topics implements AsyncDisposable {
  static {
    create = (runtime, options) => new Topics(runtime, options);
  }

  readonly #core: TopicsCore;

  private constructor(runtime: Runtime, options: TopicsOptions) {
    this.#core = new TopicsCore(runtime, options);
  }

  /**
   * Publishes a message to all subscribers of a topic, in all processes: a string or `TextBytes` as text, other bytes as
   * binary. Resolves once the engine has it.
   *
   * @throws InvalidArgumentError
   * @throws EngineUnavailableError; with an `id`, it is safe to publish again
   */
  async publish(topic: string, data: string | Bytes, options: PublishOptions = {}): Promise<Published> {
    checkOptionNames("publish()", options, PUBLISH_OPTIONS);
    const core = this.#core;
    core.checkOpen();
    const publication = {
      topic: checkTopic(topic),
      data: checkData(data),
      id: checkId(options.id),
      history: checkHistory(options.history, core.history),
      compress: checkBoolean("compress", options.compress, true),
    };
    return core.publisher.publish(publication, checkSignal(options.signal));
  }

  /**
   * Sends the messages of a topic to a connection, until it ends or `unsubscribe()` is called. A client that speaks the
   * link protocol receives them by `subscribe()` of the client; any other as plain messages. Subscribing again with
   * `since` continues from there.
   *
   * @throws InvalidArgumentError
   * @throws InvalidStateError if the connection is not open
   * @throws EngineUnavailableError
   */
  async subscribe(connection: Connection, topic: string, options: SubscribeOptions = {}): Promise<Joined> {
    checkOptionNames("subscribe()", options, SUBSCRIBE_OPTIONS);
    checkConnection(connection);
    const name = checkTopic(topic);
    const since = checkSince(options.since);
    const presence = options.presence === undefined ? undefined : checkPresence(options.presence);
    const settings = checkReceiverSettings(options);
    let joined: Joined = { recovered: false, position: null };
    await this.#core.add(connection, name, {
      since,
      presence,
      settings,
      onJoined: (result) => (joined = result),
    });
    return joined;
  }

  /** Ends a subscription, and the membership. Does nothing if there is none. */
  async unsubscribe(connection: Connection, topic: string): Promise<void> {
    checkConnection(connection);
    await this.#core.remove(connection, checkTopic(topic));
  }

  /**
   * The members of a topic in all processes: the connections that were subscribed with `presence`.
   * @throws EngineUnavailableError
   */
  async presence(topic: string): Promise<readonly Member[]> {
    this.#core.checkOpen();
    const { members } = await this.#core.engine.presence.list(checkTopic(topic));
    return members;
  }

  /**
   * Reports the members of a topic: all of them at first, and then each change.
   * @returns a function that ends it
   * @throws EngineUnavailableError if it cannot begin
   */
  async watch(topic: string, onChange: (update: PresenceUpdate) => void): Promise<() => void> {
    const name = checkTopic(topic);
    checkFunction("onChange", onChange);
    return this.#core.watch(name, onChange);
  }

  /**
   * Lets a client subscribe by itself, where `authorize` allows it. Call it in the handler of the connection. It has no
   * effect on clients that do not speak the link protocol: they cannot ask.
   * @throws InvalidArgumentError
   */
  open(connection: Connection, options: OpenOptions): void {
    checkConnection(connection);
    checkOptionNames("open()", options, OPEN_OPTIONS);
    checkFunction("authorize", options.authorize);
    if (options.publish !== undefined) checkFunction("publish", options.publish);
    const maxSubscriptions = requireSize("maxSubscriptions", options.maxSubscriptions, 1_000);
    this.#core.checkOpen();
    this.#core.open(connection, { ...options, maxSubscriptions });
  }

  /** Adds a listener; returns an unsubscribe function. */
  on<Name extends keyof TopicsEvents>(
    event: Name,
    listener: (event: TopicsEvents[Name]) => void,
  ): () => void {
    requireChoice("event", event, EVENT_NAMES);
    checkFunction("listener", listener);
    return this.#core.listeners.add(event, listener);
  }

  /** Ends all subscriptions. The engine stays open, unless it is the one that `createTopics()` made. */
  async close(): Promise<void> {
    await this.#core.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** A connection that subscribes, or may. */
interface TopicsClient {
  readonly receivers: Map<string, Receiver>;
  requests: ClientRequests | null;
}

interface NewReceiver {
  readonly since: Position | null;
  /** Undefined for none. */
  readonly presence: unknown;
  readonly settings: Receiver["settings"];
  /** Called before the first message is sent. */
  readonly onJoined: (joined: Joined) => void;
}

class TopicsCore implements LocalTopicHandler, ClientRequestHandler {
  readonly runtime: Runtime;
  readonly engine: Engine;
  readonly history: HistoryLimits | null;
  readonly maxRecovery: number;
  readonly publisher: Publisher;
  readonly listeners: Listeners<TopicsEvents>;
  readonly #ownsEngine: boolean;
  readonly #topics = new Map<string, LocalTopic>();
  readonly #clients = new Map<Connection, TopicsClient>();
  readonly #watches = new Set<PresenceWatch>();
  #isClosed = false;

  constructor(runtime: Runtime, options: TopicsOptions) {
    checkOptionNames("createTopics()", options, TOPICS_OPTIONS);
    const engine = checkEngine(options.engine);
    this.runtime = runtime;
    this.history = checkHistory(options.history, null);
    this.maxRecovery = requireSize("maxRecovery", options.maxRecovery, 1_000);
    this.#ownsEngine = engine === null;
    this.engine = engine ?? new MemoryEngine(runtime);
    this.publisher = new Publisher(this.engine, runtime.clock);
    const { platform } = runtime;
    this.listeners = new Listeners({ platform, faultLogger: platform.faultLogger });
  }

  checkOpen(): void {
    if (this.#isClosed) throw new InvalidStateError("These topics are closed. Create new ones.");
  }

  /** Lets a client ask by itself. */
  open(connection: Connection, options: OpenOptions & { readonly maxSubscriptions: number }): void {
    this.#requestsOf(connection)?.allow(options);
  }

  async add(connection: Connection, name: string, options: NewReceiver): Promise<void> {
    const { since, presence, settings, onJoined } = options;
    this.checkOpen();
    if (connection.state !== "open") {
      throw new InvalidStateError(
        `Expected a connection that is open, got one that is ${connection.state}. Subscribe while it is open.`,
      );
    }
    const { receivers } = this.#clientOf(connection);
    const topic = this.#topics.get(name) ?? this.#newTopic(name);
    const known = receivers.get(name);
    const receiver = known ?? new Receiver(connection, topic.escapedName, settings);
    if (known === undefined) {
      receivers.set(name, receiver);
      topic.reserve();
    }
    this.#requestsOf(connection);
    try {
      await topic.listening;
      if (presence !== undefined && !receiver.isGone) await this.#addMember(receiver, name, presence);
      if (receiver.isGone) onJoined({ recovered: false, position: null });
      else if (known !== undefined && since === null) {
        onJoined({ recovered: false, position: topic.positionOf(receiver) });
      } else await topic.join(receiver, since, onJoined);
    } catch (error) {
      if (known === undefined) await this.unsubscribe(connection, name);
      throw error;
    }
  }

  async remove(connection: Connection, name: string): Promise<void> {
    this.#clients.get(connection)?.receivers.get(name)?.sendEnd();
    await this.unsubscribe(connection, name);
  }

  async watch(topic: string, onChange: (update: PresenceUpdate) => void): Promise<() => void> {
    this.checkOpen();
    const { platform } = this.runtime;
    const callback = bindToContext(platform, onChange);
    const onUpdate = (update: PresenceUpdate): void => {
      try {
        callback(update);
      } catch (error) {
        this.onError("a function of topics.watch() failed", error);
      }
    };
    const watch = new PresenceWatch({
      store: this.engine.presence,
      topic,
      onUpdate,
      onError: (error) => this.onError("the members of a topic cannot be listed", error),
      pause: () => this.#pause(LIST_AGAIN_AFTER),
    });
    this.#watches.add(watch);
    await watch.start();
    return () => {
      this.#watches.delete(watch);
      watch.stop();
    };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const watch of this.#watches) watch.stop();
    const leaving = [...this.#clients].flatMap(([connection, { receivers }]) =>
      [...receivers.keys()].map((name) => this.remove(connection, name)),
    );
    await Promise.all(leaving);
    if (this.#ownsEngine) await this.engine[Symbol.asyncDispose]();
  }

  // ClientRequestHandler

  subscriptionsOf(connection: Connection): number {
    return this.#clients.get(connection)?.receivers.size ?? 0;
  }

  isSubscribed(connection: Connection, topic: string): boolean {
    return this.#clients.get(connection)?.receivers.has(topic) ?? false;
  }

  subscribe(
    connection: Connection,
    topic: string,
    since: Position | null,
    onJoined: (joined: Joined) => void,
  ): Promise<void> {
    const settings = checkReceiverSettings({});
    return this.add(connection, topic, { since, presence: undefined, settings, onJoined });
  }

  /** Without telling the client, which asked for it. */
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
    if (this.listeners.has("gap"))
      this.listeners.emit("gap", { type: "gap", connection, topic, after, position });
  }

  onError(message: string, error: unknown): void {
    this.runtime.platform.faultLogger?.error(message, { error });
  }

  #clientOf(connection: Connection): TopicsClient {
    const known = this.#clients.get(connection);
    if (known !== undefined) return known;
    const client: TopicsClient = { receivers: new Map(), requests: null };
    this.#clients.set(connection, client);
    void coreOf(connection).whenEnded.then(() => {
      this.#clients.delete(connection);
      for (const [name, receiver] of client.receivers) void this.#drop(name, receiver);
    });
    return client;
  }

  /** Made with the first subscription, so that a client can take it up again; null without the link protocol. */
  #requestsOf(connection: Connection): ClientRequests | null {
    const client = this.#clientOf(connection);
    const { link } = coreOf(connection);
    if (client.requests !== null || link === null) return client.requests;
    client.requests = new ClientRequests(connection, this);
    client.requests.begin(link);
    return client.requests;
  }

  async #addMember(receiver: Receiver, name: string, data: unknown): Promise<void> {
    const { id } = receiver.connection;
    receiver.isMember = true;
    await this.engine.presence.join(name, { id, data });
    if (receiver.isGone) await this.engine.presence.leave(name, id);
  }

  #newTopic(name: string): LocalTopic {
    const topic = new LocalTopic(name, this);
    this.#topics.set(name, topic);
    return topic;
  }

  async #drop(name: string, receiver: Receiver): Promise<void> {
    const topic = this.#topics.get(name);
    topic?.leave(receiver);
    if (topic?.isUnused === true) {
      this.#topics.delete(name);
      topic.close();
    }
    if (!receiver.isMember) return;
    try {
      await this.engine.presence.leave(name, receiver.connection.id);
    } catch (error) {
      this.onError("a member could not be removed from a topic", error);
    }
  }

  #pause(milliseconds: number): Promise<void> {
    const { timers, clock } = this.runtime;
    return new Promise((resolve) => {
      timers.set(new Alarm({ onAlarm: () => resolve() }), clock.now() + milliseconds);
    });
  }
}

function checkConnection(value: unknown): void {
  if (!(value instanceof Connection)) throw invalidArgument("connection", "a Connection", value);
}

/** A copy: the message is passed on at the end of the turn. */
function checkData(data: unknown): Uint8Array | string {
  if (typeof data === "string") return data;
  const bytes = toBytes(data);
  if (bytes === null) throw invalidArgument("data", "a string or bytes", data);
  if (!(data instanceof TextBytes)) return new Uint8Array(bytes);
  try {
    return strictDecoder.decode(data);
  } catch {
    throw new InvalidArgumentError("Expected `data` to be UTF-8, as text has to be, got other bytes.");
  }
}

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
