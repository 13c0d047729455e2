// `subscribe()` and `publish()` at a client, in Node.js and in browsers.

import { toBytes, type Bytes } from "../../connection/arguments.js";
import { addCaller } from "../../connection/caller-stack.js";
import { Connection } from "../../connection/connection.js";
import { ConnectionClosed } from "../../connection/errors.js";
import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import { ignore } from "../../shared/deferred.js";
import { InvalidStateError } from "../../shared/errors.js";
import { checkFunction, checkSignal, invalidArgument } from "../../shared/option-checks.js";
import { checkOptionNames, type OptionNames } from "../../shared/option-names.js";
import { TextBytes } from "../../shared/text-bytes.js";
import type { Published } from "../engine/engine.js";
import { checkId, checkSince } from "../options.js";
import type { Position } from "../position.js";
import type { TopicEvent } from "../topic-event.js";
import { checkTopic } from "../topic-name.js";
import type { EventQueue } from "./event-queue.js";
import { LinkTopics } from "./link-topics.js";
import { TopicFeed } from "./topic-feed.js";
import { UnreadLimit } from "./unread-limit.js";

/** A connection that reconnects: a `PersistentConnection`. */
export interface ReconnectingLink {
  readonly connection: Connection | null;
  readonly signal: AbortSignal;
  on(event: "open", listener: (event: { readonly connection: Connection }) => void): () => void;
}

/** Options of `subscribe()` at a client. */
export interface SubscriptionOptions {
  /**
   * The position of the last message that the application has processed, after which to continue. `"now"` starts with
   * the next message.
   * @default "now"
   */
  readonly since?: Position | "now" | undefined;
  /** Ends the loop, which throws the signal's reason. */
  readonly signal?: AbortSignal | null | undefined;
}

/** Options of `publish()` at a client. */
export interface ClientPublishOptions {
  /** As at the server: a message whose `id` was published within the last 2 minutes is not published again. */
  readonly id?: string | undefined;
  /**
   * Stops waiting: the promise rejects with the signal's reason. Unless the request was still waiting for the server, the
   * message may be published.
   */
  readonly signal?: AbortSignal | null | undefined;
}

const SUBSCRIPTION_OPTIONS: OptionNames<SubscriptionOptions> = { since: true, signal: true };
const CLIENT_PUBLISH_OPTIONS: OptionNames<ClientPublishOptions> = { id: true, signal: true };

/**
 * Subscribes to a topic if the server allows it (`topics.open()`), and yields its events in order: messages, and gaps
 * where messages are missing. With a persistent connection, the loop continues on each new connection from its own
 * position. The subscription begins with the loop, and ends when the loop is left. Too many unread events pause reading
 * from the connection.
 *
 * The loop ends when the server or this side ends the subscription or the connection. It throws TopicError if the server
 * refuses. If the connection is lost, it throws ConnectionClosedError, or the error that ended retrying.
 *
 * @param link a connection that speaks the link protocol (option `linkProtocol`), or one that reconnects
 * @throws InvalidArgumentError
 */
export function subscribe(
  link: Connection | ReconnectingLink,
  topic: string,
  options: SubscriptionOptions = {},
): AsyncIterableIterator<TopicEvent, undefined> {
  checkLink(link);
  checkOptionNames("subscribe()", options, SUBSCRIPTION_OPTIONS);
  const since = checkSince(options.since);
  return new Subscription(link, checkTopic(topic), since, checkSignal(options.signal));
}

/**
 * Publishes a message if the server allows it (`publish` of `topics.open()`), and waits until the server has called
 * `topics.open()`. A persistent connection must be open.
 *
 * @throws InvalidStateError if a persistent connection is not open
 * @throws TopicError if the server refuses
 * @throws EngineUnavailableError if the server cannot publish; with an `id`, it is safe to publish again
 * @throws ConnectionClosed if the connection ends first; the message may or may not have been published
 */
export async function publish(
  link: Connection | ReconnectingLink,
  topic: string,
  data: string | Bytes,
  options: ClientPublishOptions = {},
): Promise<Published> {
  checkLink(link);
  checkOptionNames("publish()", options, CLIENT_PUBLISH_OPTIONS);
  const name = checkTopic(topic);
  const id = checkId(options.id);
  const signal = checkSignal(options.signal);
  const bytes = typeof data === "string" ? null : toBytes(data);
  if (bytes === null && typeof data !== "string") throw invalidArgument("data", "a string or bytes", data);
  const connection = link instanceof Connection ? link : link.connection;
  if (connection === null) {
    throw new InvalidStateError(
      'Expected an open connection, got one that is connecting or closed. Publish after its event "open".',
    );
  }
  try {
    return await LinkTopics.of(connection).publish(name, contentOf(data, bytes), id, signal);
  } catch (error) {
    throw addCaller(error);
  }
}

/** Copies bytes, because the request may have to wait. */
function contentOf(data: string | Bytes, bytes: Uint8Array | null): Uint8Array | string {
  if (typeof data === "string") return data;
  return data instanceof TextBytes ? data.toString() : new Uint8Array(bytes ?? []);
}

/** The state that all loops over a link share. */
interface SharedByLink {
  readonly feeds: Map<string, LinkFeed>;
  readonly unread: UnreadLimit;
}

const links = new WeakMap<object, SharedByLink>();

class Subscription implements AsyncIterableIterator<TopicEvent, undefined> {
  readonly #link: Connection | ReconnectingLink;
  readonly #topic: string;
  readonly #since: Position | null;
  readonly #signal: AbortSignal | null;
  #queue: EventQueue | null = null;

  constructor(
    link: Connection | ReconnectingLink,
    topic: string,
    since: Position | null,
    signal: AbortSignal | null,
  ) {
    this.#link = link;
    this.#topic = topic;
    this.#since = since;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    this.#begin();
    return this;
  }

  next(): Promise<IteratorResult<TopicEvent, undefined>> {
    return this.#begin().next();
  }

  return(): Promise<IteratorResult<TopicEvent, undefined>> {
    this.#begin().leave();
    unwatchAbort(this.#signal, this.#onAbort);
    return Promise.resolve({ value: undefined, done: true });
  }

  #begin(): EventQueue {
    if (this.#queue !== null) return this.#queue;
    const feed = LinkFeed.of(this.#link, this.#topic, this.#since);
    const queue = feed.addQueue();
    this.#queue = queue;
    feed.begin();
    if (this.#signal?.aborted === true) this.#onAbort();
    else watchAbort(this.#signal, this.#onAbort);
    return queue;
  }

  readonly #onAbort = (): void => {
    this.#queue?.end(this.#signal?.reason);
    this.#queue?.leave();
  };
}

/** A topic on a link: its feed moves from one connection to the next. */
class LinkFeed {
  static of(link: Connection | ReconnectingLink, topic: string, since: Position | null): LinkFeed {
    const shared = links.get(link) ?? { feeds: new Map<string, LinkFeed>(), unread: new UnreadLimit() };
    links.set(link, shared);
    const earlier = shared.feeds.get(topic) ?? null;
    if (earlier?.isInUse === true) {
      if (since === null) return earlier;
      // A loop that begins elsewhere needs its own subscription, and a server keeps one for each topic.
      throw invalidArgument(
        "since",
        '"now" while another loop reads the same topic on this connection',
        since,
      );
    }
    const feed = new LinkFeed(link, topic, since, shared);
    if (earlier !== null) {
      feed.#session = earlier.#session;
      earlier.#finish();
    }
    shared.feeds.set(topic, feed);
    return feed;
  }

  readonly #link: Connection | ReconnectingLink;
  readonly #feed: TopicFeed;
  readonly #shared: SharedByLink;
  #hasBegun = false;
  #current: LinkTopics | null = null;
  #stop = ignore;
  /** The id of the session in which the server may have the subscription: it outlives the connection. Null for none. */
  #session: string | null = null;
  /** All loops were left, and the server has not confirmed that. */
  #isLeaving = false;
  #isOver = false;

  private constructor(
    link: Connection | ReconnectingLink,
    topic: string,
    since: Position | null,
    shared: SharedByLink,
  ) {
    this.#link = link;
    this.#shared = shared;
    this.#feed = new TopicFeed(topic, since, {
      onUnread: (events, bytes) => shared.unread.add(events, bytes),
      onUnused: () => this.#leave(),
      onOver: () => this.#finish(),
    });
  }

  get isInUse(): boolean {
    return !this.#isLeaving;
  }

  addQueue(): EventQueue {
    return this.#feed.addQueue();
  }

  begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const link = this.#link;
    const isOne = link instanceof Connection;
    const onEnd = (): void => this.#end(link.signal.reason);
    const stopListening = isOne ? ignore : link.on("open", ({ connection }) => this.#attach(connection));
    // Nothing of a feed that is over stays with the link, which may have many after each other.
    this.#stop = () => {
      stopListening();
      unwatchAbort(link.signal, onEnd);
    };
    if (link.signal.aborted) onEnd();
    else watchAbort(link.signal, onEnd);
    const connection = isOne ? link : link.connection;
    if (connection !== null) this.#attach(connection);
  }

  #attach(connection: Connection): void {
    if (this.#isOver || this.#current?.connection === connection) return;
    const session = connection.session?.id ?? null;
    if (this.#isLeaving && session !== this.#session) {
      this.#finish(); // The subscription has ended with its session.
      return;
    }
    this.#session = session;
    try {
      const topics = LinkTopics.of(connection);
      this.#current = topics;
      if (this.#isLeaving) {
        this.#leave();
        return;
      }
      this.#shared.unread.attach(connection);
      topics.attach(this.#feed);
    } catch (error) {
      this.#end(error);
    }
  }

  /** With a session, the server may learn only on the next socket that the loops were left. */
  #leave(): void {
    this.#isLeaving = true;
    this.#current?.detach(this.#feed, () => this.#finish());
    if (this.#session === null) this.#finish();
  }

  #end(error: unknown): void {
    const isQuiet = (error instanceof ConnectionClosed && error.info.ok) || isEndedHere(this.#link);
    this.#finish();
    this.#feed.end(isQuiet ? null : error);
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stop();
    this.#shared.feeds.delete(this.#feed.topic);
  }
}

/** Whether this side has ended a persistent connection, which may have had no connection at that time. */
function isEndedHere(link: Connection | (ReconnectingLink & { readonly status?: unknown })): boolean {
  if (link instanceof Connection) return false;
  const { state, error } = (link.status ?? {}) as { readonly state?: unknown; readonly error?: unknown };
  return state === "closed" && error === null;
}

function checkLink(value: unknown): void {
  if (value instanceof Connection) return;
  const { on, signal } = (
    typeof value === "object" && value !== null ? value : {}
  ) as Partial<ReconnectingLink>;
  if (typeof on !== "function" || signal === undefined) {
    throw invalidArgument("link", "a Connection or a PersistentConnection", value);
  }
  checkFunction("link.on", on);
}
