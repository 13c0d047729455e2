// `Topics`: publish, subscribe and presence, for the connections of this process and, with an engine, of others.

import { bindToContext } from "../connection/platform.js";
import { Connection } from "../connection/connection.js";
import { toBytes, type Bytes } from "../connection/arguments.js";
import type { Runtime } from "../connection/runtime.js";
import { InvalidArgumentError } from "../shared/errors.js";
import {
  checkBoolean,
  checkFunction,
  checkSignal,
  invalidArgument,
  requireChoice,
} from "../shared/option-checks.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { TextBytes } from "../shared/text-bytes.js";
import { registerTopics } from "./core-of.js";
import { NO_OBSERVER, type TopicsObserver } from "./diagnostics.js";
import type { OpenOptions } from "./client-requests.js";
import type { Published } from "./engine/engine.js";
import type { Member } from "./engine/presence-store.js";
import type { Joined } from "./local-topic-handler.js";
import {
  checkHistory,
  checkId,
  checkPresence,
  checkReceiverSettings,
  checkSince,
  PUBLISH_OPTIONS,
  requireSize,
  SUBSCRIBE_OPTIONS,
  type PublishOptions,
  type SubscribeOptions,
  type TopicsOptions,
} from "./options.js";
import type { PresenceUpdate } from "./presence-watch.js";
import { checkTopic } from "./topic-name.js";
import { TopicsCore } from "./topics-core.js";
import type { TopicsEvents } from "./topics-events.js";

const OPEN_OPTIONS: OptionNames<OpenOptions> = { authorize: true, publish: true, maxSubscriptions: true };
const EVENT_NAMES: readonly (keyof TopicsEvents)[] = ["gap"];

// It takes the class: nothing else may refer to it, and a bundler would leave it out.
let create: (
  Class: typeof Topics,
  runtime: Runtime,
  options: TopicsOptions,
  observer: TopicsObserver,
) => Topics;

/**
 * Opens topics.
 * @throws InvalidArgumentError
 */
export function openTopics(
  runtime: Runtime,
  options: TopicsOptions,
  observer: TopicsObserver = NO_OBSERVER,
): Topics {
  return create(Topics, runtime, options, observer);
}

/** Topics of connections, created by `createTopics()`. */
export class Topics implements AsyncDisposable {
  static {
    create = (Class, runtime, options, observer) => new Class(runtime, options, observer);
  }

  readonly #core: TopicsCore;

  private constructor(runtime: Runtime, options: TopicsOptions, observer: TopicsObserver) {
    this.#core = new TopicsCore(runtime, options, observer);
    registerTopics(this, this.#core);
  }

  /**
   * Publishes a message to all subscribers of a topic, in all processes: a string or `TextBytes` as text, other bytes as
   * binary. Resolves once the engine has it.
   *
   * @throws InvalidArgumentError
   * @throws EngineUnavailableError; with an `id`, it is safe to publish again
   * @throws MessageTooBigError if the engine does not accept messages of this size
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
   * link protocol receives them with its own `subscribe()`; any other client as plain messages. Subscribing again with
   * `since` continues after that position.
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
      isAsked: false,
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
    const { engine, health } = this.#core;
    const { members } = await health.watch(engine.presence.list(checkTopic(topic)));
    return members;
  }

  /**
   * Reports the members of a topic: first all of them, then each change.
   * @returns a function that ends the reports
   * @throws EngineUnavailableError if it cannot begin
   */
  async watch(topic: string, onChange: (update: PresenceUpdate) => void): Promise<() => void> {
    const name = checkTopic(topic);
    checkFunction("onChange", onChange);
    return this.#core.watch(name, onChange);
  }

  /**
   * Allows a client to subscribe on its own, if `authorize` allows it. Call it in the handler of the connection. It has
   * no effect on clients that do not speak the link protocol, which cannot send requests.
   * @throws InvalidArgumentError
   */
  open<Data>(connection: Connection<Data>, options: OpenOptions<Data>): void {
    checkConnection(connection);
    checkOptionNames("open()", options, OPEN_OPTIONS);
    checkFunction("authorize", options.authorize);
    if (options.publish !== undefined) checkFunction("publish", options.publish);
    const maxSubscriptions = requireSize("maxSubscriptions", options.maxSubscriptions, 1_000);
    this.#core.checkOpen();
    const { platform } = this.#core.runtime;
    // The functions receive this connection only.
    const { authorize, publish } = options as OpenOptions;
    this.#core.open(connection, {
      authorize: bindToContext(platform, authorize),
      publish: publish && bindToContext(platform, publish),
      maxSubscriptions,
    });
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

function checkConnection(value: unknown): void {
  if (!(value instanceof Connection)) throw invalidArgument("connection", "a Connection", value);
}

/** Copies the data: the message is passed on at the end of the turn. */
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
