// The requests of one client about topics, by words of the link protocol (docs/link-protocol.md): to subscribe, to
// unsubscribe and to publish.

import { ignore } from "../shared/deferred.js";
import { EngineUnavailableError } from "../shared/engine-unavailable-error.js";
import { MessageTooBigError } from "../shared/errors.js";
import type { Connection } from "../connection/connection.js";
import { coreOf } from "../connection/core-of.js";
import { isThenable, toPromise } from "../connection/arguments.js";
import type { LinkWords } from "../connection/message-transport.js";
import { MessageWeight, overheadOf } from "../connection/reading/message-weight.js";
import { TOO_SLOW } from "../connection/sending/slow-policy.js";
import { SENT } from "../connection/sent.js";
import type { TopicsDiagnosticsMessages } from "./diagnostics.js";
import type { Published } from "./engine/engine.js";
import { isEpoch, type Position } from "./position.js";
import type { Joined } from "./local-topic-handler.js";
import { describePosition } from "./receiver.js";
import { unescapeTopic } from "./topic-name.js";

/** Options of `topics.open()`. `Data` is the type of `connection.data`. */
export interface OpenOptions<Data = unknown> {
  /**
   * Whether this client may subscribe to this topic. Called for each request, unless the server has subscribed the client on
   * its own. If the function throws or rejects, the client may not. A client that may not is unsubscribed.
   */
  readonly authorize: (connection: Connection<Data>, topic: string) => Promise<boolean> | boolean;
  /** Whether this client may publish on this topic. @default clients may not publish */
  readonly publish?:
    ((connection: Connection<Data>, topic: string) => Promise<boolean> | boolean) | undefined;
  /** The number of topics to which a client may be subscribed at a time. @default 1000 */
  readonly maxSubscriptions?: number | undefined;
}

export interface ClientRequestHandler {
  subscriptionsOf(connection: Connection): number;
  isSubscribed(connection: Connection, topic: string): boolean;
  /** Whether the server has made the subscription on its own, so that the client may take it up. */
  isOffered(connection: Connection, topic: string): boolean;
  subscribe(
    connection: Connection,
    topic: string,
    since: Position | null,
    onJoined: (joined: Joined) => void,
  ): Promise<void>;
  unsubscribe(connection: Connection, topic: string): Promise<void>;
  publish(topic: string, data: Uint8Array | string, id: string | null): Promise<Published>;
  onRefused(refusal: TopicsDiagnosticsMessages["holdfast:topic:refused"]): void;
  onError(message: string, error: unknown, connection: Connection): void;
}

/** The number of requests of one client that may wait for earlier ones, unless it may have more subscriptions. */
const MAX_WAITING = 1_000;

export class ClientRequests {
  readonly #connection: Connection;
  /** Null before `topics.open()`: until then, the client may only take up subscriptions that the server has made. */
  #options: (OpenOptions & { readonly maxSubscriptions: number }) | null = null;
  readonly #handler: ClientRequestHandler;
  /** Settles when the newest request has been decided. Requests are handled in order. */
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  /** The messages to publish that wait, or that the engine has not stored yet. */
  readonly #unpublished = new MessageWeight();
  #isPaused = false;
  /** Resolves when there is room for more than the newest answer; null while there is. */
  #room: Promise<void> | null = null;
  /** The number of answers for which there was no room. */
  #unsent = 0;
  /** The newest waiting request of each topic to which one subscribes or unsubscribes. */
  readonly #newest = new Map<string | null, Request>();
  #hasAsked = false;
  /** The topic about which the application decides; null for none. */
  #deciding: string | null = null;

  constructor(connection: Connection, handler: ClientRequestHandler) {
    this.#connection = connection;
    this.#handler = handler;
  }

  /** Whether the client has sent a request. */
  get hasAsked(): boolean {
    return this.#hasAsked;
  }

  /** The topic about which `authorize` decides: it may itself subscribe the client. Null for none. */
  get deciding(): string | null {
    return this.#deciding;
  }

  allow(options: OpenOptions & { readonly maxSubscriptions: number }): void {
    this.#options = options;
  }

  /** Handles requests from now on. */
  begin(link: LinkWords): void {
    link.handleWord("sub", (argument) =>
      this.#enqueue(argument, (request) => this.#subscribe(request), "sub"),
    );
    link.handleWord("unsub", (argument) =>
      this.#enqueue(argument, (request) => this.#unsubscribe(request), "unsub"),
    );
    link.handleWord("pub", (argument) => {
      const end = argument.indexOf("\n");
      const data = end < 0 ? "" : argument.slice(end + 1);
      this.#enqueuePublication(argument.slice(0, end), data);
    });
    link.handleWord("pubb", (argument, payload) => {
      const data = new Uint8Array(payload ?? []); // A copy, because it may lie in the read buffer.
      this.#enqueuePublication(argument, data);
    });
    link.announce("topics"); // The client may send requests, and subscribes again on a new socket of its session.
  }

  #enqueuePublication(argument: string, data: Uint8Array | string): void {
    const isQueued = this.#enqueue(argument, (request) => this.#publish(request, data), "pub");
    if (!isQueued) return;
    this.#unpublished.count(data);
    const core = coreOf(this.#connection);
    if (this.#isPaused || !this.#unpublished.isOverLimits(core.settings, true)) return;
    this.#isPaused = true;
    core.pauseReading("topics");
  }

  #onPublished(data: Uint8Array | string): void {
    const core = coreOf(this.#connection);
    this.#unpublished.subtract(1, data.length, overheadOf(data));
    if (!this.#isPaused || !this.#unpublished.isBelowLowWater(core.settings.maxQueuedBytes)) return;
    this.#isPaused = false;
    core.resumeReading("topics");
  }

  /** Returns false for a request that is not handled. */
  #enqueue(argument: string, handle: (request: Request) => Promise<void>, kind: Request["kind"]): boolean {
    const request = readRequest(argument, kind);
    if (request === null || !this.#isOpen) return false; // It has no number to answer to, or gets no answer.
    this.#hasAsked = true;
    if (this.#waiting >= this.#maxWaiting && !this.#mustWait(request)) {
      this.#fail(request, "limit", "too many requests wait");
      return false;
    }
    this.#waiting++;
    if (kind !== "pub") this.#newest.set(request.topic, request);
    this.#last = this.#last.then(async () => {
      try {
        if (this.#room !== null) await this.#room; // A client that does not read its answers gets no more.
        if (this.#isOpen) await handle(request);
      } catch (error) {
        this.#onFailed(request, error);
      } finally {
        this.#waiting--;
        if (this.#newest.get(request.topic) === request) this.#newest.delete(request.topic);
      }
    });
    return true;
  }

  get #maxWaiting(): number {
    return Math.max(MAX_WAITING, this.#options?.maxSubscriptions ?? 0);
  }

  /**
   * Whether this request may not be refused, however many wait: a client does not ask again to leave a topic, and
   * would stay subscribed. There is at most one such request for each subscription that it has or asks for.
   */
  #mustWait({ kind, topic }: Request): boolean {
    if (kind !== "unsub" || topic === null) return false;
    const newest = this.#newest.get(topic);
    return newest === undefined ? this.#handler.isSubscribed(this.#connection, topic) : newest.kind === "sub";
  }

  async #subscribe(request: Request): Promise<void> {
    const { topic, rest } = request;
    const since = readSince(rest);
    if (topic === null || since === undefined) {
      this.#fail(request, "invalid", "not a topic, or not a position");
      return;
    }
    if (!this.#handler.isOffered(this.#connection, topic) && !(await this.#mayJoin(request, topic))) return;
    await this.#handler.subscribe(this.#connection, topic, since, ({ recovered, position }) => {
      this.#done(request, ` ${recovered ? 1 : 0} ${describePosition(position)}`);
    });
  }

  /** Asks the application, also about a subscription that it has allowed before: the user of a session may have changed. */
  async #mayJoin(request: Request, topic: string): Promise<boolean> {
    const { authorize = () => false, maxSubscriptions = Infinity } = this.#options ?? {};
    const isNew = !this.#handler.isSubscribed(this.#connection, topic);
    // Before `authorize`, which may itself subscribe the client to the topic.
    if (isNew && this.#handler.subscriptionsOf(this.#connection) >= maxSubscriptions) {
      this.#fail(request, "limit", `at most ${maxSubscriptions} topics at a time`);
      return false;
    }
    this.#deciding = topic;
    const isAllowed = await this.#isAllowed(topic, authorize);
    this.#deciding = null;
    if (isAllowed || this.#handler.isOffered(this.#connection, topic)) return this.#isOpen;
    await this.#handler.unsubscribe(this.#connection, topic);
    this.#forbid(request);
    return false;
  }

  async #unsubscribe(request: Request): Promise<void> {
    if (request.topic !== null) await this.#handler.unsubscribe(this.#connection, request.topic);
    this.#done(request, "");
  }

  async #publish(request: Request, data: Uint8Array | string): Promise<void> {
    const { topic, rest } = request;
    const id = rest.length === 0 ? null : unescapeTopic(rest[0]);
    if (topic === null || (id === null && rest.length > 0)) {
      this.#fail(request, "invalid", "not a topic, or not an id");
      this.#onPublished(data);
      return;
    }
    const { publish = () => false } = this.#options ?? {};
    if (!(await this.#isAllowed(topic, publish))) {
      this.#forbid(request);
      this.#onPublished(data);
      return;
    }
    // The next request need not wait for the engine.
    void this.#handler
      .publish(topic, data, id)
      .then(
        ({ offset, epoch, isDuplicate }) =>
          this.#done(request, ` ${offset ?? "-"} ${epoch ?? "-"} ${isDuplicate ? 1 : 0}`),
        (error: unknown) => this.#onFailed(request, error),
      )
      .finally(() => this.#onPublished(data));
  }

  /** A function of the application may take longer than the connection lives. */
  get #isOpen(): boolean {
    return this.#connection.state === "open";
  }

  async #isAllowed(topic: string, decide: OpenOptions["authorize"]): Promise<boolean> {
    try {
      const decision: unknown = decide(this.#connection, topic);
      return (isThenable(decision) ? await toPromise(decision) : decision) === true;
    } catch (error) {
      this.#handler.onError("a function of topics.open() failed", error, this.#connection);
      return false;
    }
  }

  #forbid(request: Request): void {
    this.#fail(request, "forbidden", "not allowed");
  }

  #onFailed(request: Request, error: unknown): void {
    if (error instanceof EngineUnavailableError) {
      this.#fail(request, `unavailable-${error.outcome}`, "the engine is unavailable");
      return;
    }
    this.#handler.onError("a request of a client about a topic failed", error, this.#connection);
    this.#fail(request, "failed", error instanceof MessageTooBigError ? "message too big" : "internal error");
  }

  #done({ id }: Request, result: string): void {
    this.#answer("done", id + result);
  }

  #fail({ id, topic }: Request, reason: Refusal, message: string): void {
    if (!this.#isOpen) return;
    this.#handler.onRefused({ topic, connection: this.#connection, reason });
    this.#answer("failed", `${id} ${reason} ${message}`);
  }

  #answer(word: string, argument: string): void {
    const core = coreOf(this.#connection);
    const sent = core.sendWord(word, argument);
    if (sent === SENT) return;
    const room = sent.catch(ignore).then(() => {
      this.#unsent--;
      if (this.#room === room) this.#room = null;
    });
    this.#room = room;
    if (++this.#unsent > this.#maxWaiting) core.closeWithCause("local-close", TOO_SLOW, null, true);
  }
}

type Refusal = TopicsDiagnosticsMessages["holdfast:topic:refused"]["reason"];

interface Request {
  readonly kind: "sub" | "unsub" | "pub";
  /** Digits that the client has chosen. */
  readonly id: string;
  /** Null for an invalid name. */
  readonly topic: string | null;
  readonly rest: readonly string[];
}

function readRequest(argument: string, kind: Request["kind"]): Request | null {
  const [id = "", escaped = "", ...rest] = argument.split(" ");
  return NUMBER.test(id) ? { kind, id, topic: unescapeTopic(escaped), rest } : null;
}

/** Null for none; undefined for an invalid position. */
function readSince(rest: readonly string[]): Position | null | undefined {
  if (rest.length === 0) return null;
  const [epoch, offset] = rest;
  const isPosition = rest.length === 2 && isEpoch(epoch) && NUMBER.test(offset);
  return isPosition ? { epoch, offset: Number(offset) } : undefined;
}

const NUMBER = /^[0-9]{1,15}$/;
