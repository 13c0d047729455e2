// The topics of one connection at a client: sends requests to the server, and passes on its messages.

import { ignore } from "../../shared/deferred.js";
import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import { EngineUnavailableError } from "../../shared/engine-unavailable-error.js";
import { InvalidStateError } from "../../shared/errors.js";
import type { Connection } from "../../connection/connection.js";
import { coreOf } from "../../connection/core-of.js";
import type { Message } from "../../connection/reading/inbox.js";
import { SENT } from "../../connection/sent.js";
import { Alarm } from "../../connection/timer-queue.js";
import { escapeTopic, unescapeTopic } from "../topic-name.js";
import { isEpoch, type Position } from "../position.js";
import type { Published } from "../engine/engine.js";
import type { TopicFeed } from "./topic-feed.js";
import { TopicError, type TopicRefusal } from "./topic-error.js";

interface WaitingRequest {
  readonly topic: string;
  /** Called within the call that reads the answer. */
  readonly onDone: (result: readonly string[]) => void;
  readonly onFailed: (error: unknown) => void;
}

interface Subscription {
  readonly feed: TopicFeed;
  /** The newest request to subscribe, the only one whose answer counts; null if none was sent since the server began anew. */
  request: string | null;
  /** Asks again after the server's engine was unavailable. */
  readonly retry: Alarm;
}

/** Milliseconds until a subscription is retried after the server's engine was unavailable. */
const RETRY_DELAY = 1_000;

const all = new WeakMap<Connection, LinkTopics>();

export class LinkTopics {
  /**
   * The topics of a connection.
   * @throws InvalidStateError if the peer does not speak the link protocol
   */
  static of(connection: Connection): LinkTopics {
    const known = all.get(connection);
    if (known !== undefined) return known;
    const topics = new LinkTopics(connection);
    all.set(connection, topics);
    return topics;
  }

  readonly #connection: Connection;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #requests = new Map<string, WaitingRequest>();
  /** Requests that wait until the server accepts requests. */
  #heldRequests: Map<string, () => void> | null = new Map();
  #numbers = 0;
  /** Settles once there is room for more than the newest request. */
  #room: Promise<void> = SENT;
  /** The server has begun anew, and the subscriptions wait for room to be requested again. */
  #isRepeating = false;

  private constructor(connection: Connection) {
    this.#connection = connection;
    const core = coreOf(connection);
    const { link } = core;
    if (link === null) throw new InvalidStateError(NO_LINK);
    link.handleWord("topics", () => this.#onReady());
    link.handleWord("at", (argument) =>
      this.#onPlace(argument, (feed, position) => feed.onBeginning(position)),
    );
    link.handleWord("gap", (argument) => this.#onPlace(argument, (feed, position) => feed.onGap(position)));
    link.handleWord("ended", (argument) => this.#onEnded(argument));
    link.handleWord("m", (argument) => {
      const end = argument.indexOf("\n");
      if (end >= 0) this.#onMessage(argument.slice(0, end), argument.slice(end + 1));
    });
    link.handleWord("b", (argument, payload) => this.#onMessage(argument, new Uint8Array(payload ?? [])));
    link.handleWord("done", (argument) => this.#onAnswer(argument, true));
    link.handleWord("failed", (argument) => this.#onAnswer(argument, false));
    void core.whenEnded.then(() => this.#onConnectionEnded(core.closedError()));
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** Subscribes to the feed's topic, and passes the server's messages on it to the feed. */
  attach(feed: TopicFeed): void {
    const subscription: Subscription = {
      feed,
      request: null,
      retry: new Alarm({ onAlarm: () => this.#subscribe(subscription) }),
    };
    this.#subscriptions.set(feed.topic, subscription);
    this.#subscribe(subscription);
  }

  /** Unsubscribes. Calls `onLeft` once the server has answered; not if the connection ends before that. */
  detach(feed: TopicFeed, onLeft: () => void): void {
    const { topic } = feed;
    const current = this.#subscriptions.get(topic)?.feed;
    if (current !== undefined && current !== feed) {
      onLeft(); // Another feed has taken the subscription over.
      return;
    }
    this.#subscriptions.delete(topic);
    const onFailed = (): void => {
      if (this.#connection.state === "open") onLeft();
    };
    this.#request("unsub", "", null, { topic, onDone: onLeft, onFailed });
  }

  publish(
    topic: string,
    data: Uint8Array | string,
    id: string | null,
    signal: AbortSignal | null,
  ): Promise<Published> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    let onAbort = ignore;
    const published = new Promise<Published>((resolve, reject) => {
      const onDone = ([offset = "-", epoch = "-", isDuplicate]: readonly string[]): void =>
        resolve({
          offset: offset === "-" ? null : Number(offset),
          epoch: epoch === "-" ? null : epoch,
          isDuplicate: isDuplicate === "1",
        });
      const more = id === null ? "" : ` ${escapeTopic(id)}`;
      const request = { topic, onDone, onFailed: reject };
      const number = this.#request(typeof data === "string" ? "pub" : "pubb", more, data, request);
      onAbort = () => {
        this.#requests.delete(number);
        this.#heldRequests?.delete(number);
        reject(signal?.reason as Error);
      };
    });
    watchAbort(signal, onAbort);
    return published.finally(() => unwatchAbort(signal, onAbort));
  }

  #subscribe(subscription: Subscription): void {
    const { feed } = subscription;
    if (!this.#isCurrent(subscription)) return;
    feed.suspend();
    const { topic, position } = feed;
    const onDone = ([recovered, epoch = "", offset = ""]: readonly string[]): void => {
      if (this.#isCurrent(subscription)) feed.onSubscribed(readPosition(epoch, offset), recovered === "1");
    };
    const onFailed = (error: unknown): void => this.#onRefused(subscription, error);
    const more = position === null ? "" : ` ${position.epoch} ${position.offset}`;
    subscription.request = this.#request("sub", more, null, { topic, onDone, onFailed });
  }

  #onRefused(subscription: Subscription, error: unknown): void {
    if (!this.#isCurrent(subscription) || this.#connection.state !== "open") return; // The owner handles the end of the connection.
    if (error instanceof EngineUnavailableError) {
      const { timers, clock } = coreOf(this.#connection).runtime;
      timers.set(subscription.retry, clock.now() + RETRY_DELAY);
      return;
    }
    this.#subscriptions.delete(subscription.feed.topic);
    subscription.feed.end(error);
  }

  #isCurrent(subscription: Subscription): boolean {
    return this.#subscriptions.get(subscription.feed.topic) === subscription;
  }

  /** Returns the number of the request. */
  #request(word: string, more: string, data: Uint8Array | string | null, request: WaitingRequest): string {
    const core = coreOf(this.#connection);
    const id = String(++this.#numbers);
    if (core.state !== "open") {
      core.rejectWhenEnded(null).catch(request.onFailed);
      return id;
    }
    this.#requests.set(id, request);
    const argument = `${id} ${escapeTopic(request.topic)}${more}`;
    const send = (): void => {
      this.#room =
        typeof data === "string"
          ? core.sendWord(word, `${argument}\n${data}`)
          : core.sendWord(word, argument, data);
    };
    if (this.#heldRequests === null) send();
    else this.#heldRequests.set(id, send);
    return id;
  }

  /** The server accepts requests. It repeats this when it starts again. */
  #onReady(): void {
    const requests = this.#heldRequests;
    this.#heldRequests = null;
    if (requests === null) this.#repeat();
    else for (const send of requests.values()) send();
  }

  /** Subscribes again. A server that says more often that it begins anew than it reads is asked once it has read. */
  #repeat(): void {
    if (this.#isRepeating) return;
    this.#isRepeating = true;
    const { timers } = coreOf(this.#connection).runtime;
    for (const subscription of this.#subscriptions.values()) {
      subscription.feed.suspend();
      timers.cancel(subscription.retry);
      this.#requests.delete(subscription.request ?? "");
      subscription.request = null;
    }
    const subscribe = (): void => {
      this.#isRepeating = false;
      for (const subscription of this.#subscriptions.values())
        if (subscription.request === null) this.#subscribe(subscription);
    };
    this.#room.then(subscribe, subscribe); // It rejects if the request was lost with a socket of the session.
  }

  #onPlace(argument: string, report: (feed: TopicFeed, position: Position | null) => void): void {
    const [escaped = "", epoch = "", offset = ""] = argument.split(" ");
    const feed = this.#feedFor(escaped);
    if (feed !== undefined) report(feed, readPosition(epoch, offset));
  }

  #onMessage(place: string, data: Message): void {
    const [escaped = "", offset = ""] = place.split(" ");
    const isNumber = NUMBER.test(offset);
    if (isNumber || offset === "-") this.#feedFor(escaped)?.onMessage(data, isNumber ? Number(offset) : null);
  }

  #onEnded(escaped: string): void {
    this.#feedFor(escaped)?.onEnded();
  }

  #onAnswer(argument: string, isDone: boolean): void {
    const [id = "", reason = ""] = argument.split(" ");
    const request = this.#requests.get(id);
    if (request === undefined) return;
    this.#requests.delete(id);
    if (isDone) request.onDone(argument.split(" ").slice(1));
    else request.onFailed(refusal(request.topic, reason, argument.slice(id.length + reason.length + 2)));
  }

  #onConnectionEnded(error: Error): void {
    this.#subscriptions.clear();
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    for (const { onFailed } of requests) onFailed(error);
  }

  #feedFor(escaped: string): TopicFeed | undefined {
    // Most names need no escaping.
    const known = this.#subscriptions.get(escaped);
    if (known !== undefined && !escaped.includes("%")) return known.feed;
    return this.#subscriptions.get(unescapeTopic(escaped) ?? "")?.feed;
  }
}

function refusal(topic: string, reason: string, details: string): Error {
  const [kind, outcome] = reason.split("-");
  if (kind === "unavailable") {
    const message = "The server cannot reach the engine of its topics.";
    return new EngineUnavailableError(message, outcome === "unsent" ? "unsent" : "unknown");
  }
  const known = REFUSALS.find((each) => each === reason) ?? "failed";
  return new TopicError(topic, known, details.slice(0, 200));
}

const REFUSALS: readonly TopicRefusal[] = ["failed", "forbidden", "invalid", "limit"];

/** Null for the position of a topic without history. */
function readPosition(epoch: string, offset: string): Position | null {
  return isEpoch(epoch) && NUMBER.test(offset) ? { epoch, offset: Number(offset) } : null;
}

const NUMBER = /^[0-9]{1,15}$/;

const NO_LINK =
  "This connection does not speak the link protocol, which topics need. Connect with `linkProtocol: true` to a Holdfast server.";
