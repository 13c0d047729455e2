// The port between topics and the engine that carries them between processes. `memoryEngine()` implements it within one
// process, the packages @holdfast/redis and @holdfast/nats between machines. test/topics/engine-contract.ts tests all
// of them.

import type { EngineUnavailableError } from "../../shared/engine-unavailable-error.js";
import type { MessageTooBigError } from "../../shared/errors.js";
import type { SessionStore } from "../../session/store/session-store.js";
import type { Position } from "../position.js";
import type { TopicMessage } from "../topic-event.js";
import type { PresenceStore } from "./presence-store.js";

/**
 * Carries topics between processes. One engine may serve several `createTopics()`.
 *
 * **Positions.** The messages of a topic that are published with history are numbered 1, 2, 3 … without holes, in an
 * epoch. An engine that may have lost a message it numbered (a promotion, a restart without persistence) starts a new
 * epoch at offset 1, so that no position ever stands for two messages.
 *
 * **Messages.** What `listen` reports is a hint. For messages with history, hints may be missing, repeated or out of
 * order: topics compare positions and read what is missing. Messages without history arrive at most once and in the
 * order in which each publisher published them.
 *
 * **Unavailable.** Each promise rejects with EngineUnavailableError within 2 s if the engine cannot do what is asked,
 * and `outcome` says whether it may have been done. The engine reconnects on its own.
 */
export interface Engine extends AsyncDisposable {
  /** Names this process among those that use the engine. */
  readonly node: string;
  readonly presence: PresenceStore;
  /** Keeps sessions where the engine keeps topics: for the option `sessions: { store }` of `serve()`. */
  readonly sessions: SessionStore;

  /**
   * Publishes the messages of one turn of the event loop, in their order. Calls may overlap; messages of one topic are
   * published in the order of the calls. Resolves with a result for each message, in the same order. The result is an
   * error for a message that was not published, or perhaps not.
   * @throws EngineUnavailableError if no message was published, or perhaps none
   */
  publish(
    batch: readonly Publication[],
  ): Promise<readonly (EngineUnavailableError | MessageTooBigError | Published)[]>;

  /**
   * Begins to report the messages of a topic. Resolves once all messages published from now on will be reported.
   * `onMessage` may be called before that. Both functions return soon and never throw. A topic may have any number of
   * listeners.
   *
   * @param onMessage called with each message
   * @param onNewest topics pass it; other callers need not. Called when the engine has found the newest position in another way: after a lost subscription, and
   * by a regular check every 30 s at most. It gets null after a lost subscription to a topic without history, whose
   * messages may have been lost meanwhile. The engine must call it for every topic, so that no loss goes unnoticed.
   * @param begins true if this process publishes the topic's messages with history. An engine to which a topic costs
   * little then begins a history that has no message yet, so that a subscriber can continue from its beginning. False by
   * default
   * @returns the newest position at a moment after the call; messages after it are reported. Null if the topic has no
   * history: the first message with history then has offset 1
   */
  listen(
    topic: string,
    onMessage: MessageListener,
    onNewest?: NewestListener,
    begins?: boolean,
  ): Promise<Position | null>;

  /** Ends `listen` for this function, without one for all functions. Does nothing if it does not listen. */
  ignore(topic: string, onMessage?: MessageListener): void;

  /** Reads messages from the history, in order. */
  read(topic: string, after: Position, limit: number): Promise<Page>;

  /**
   * Sends a request to another process, or to this one, and resolves with its answer.
   * @param timeout in milliseconds
   * @throws EngineUnavailableError if there is no such process, if it does not answer in time, or if its handler fails
   */
  request(node: string, body: Uint8Array, timeout: number): Promise<Uint8Array>;

  /** Sets the function that answers the requests of other processes. Without one, their requests fail. */
  answer(handler: RequestHandler | null): void;
}

/** Called with each message of a topic. */
export type MessageListener = (message: TopicMessage) => void;
/** Called with the newest position of a topic, as `listen` describes. */
export type NewestListener = (newest: Position | null) => void;
/** Answers a request of another process. */
export type RequestHandler = (body: Uint8Array) => Promise<Uint8Array> | Uint8Array;

/** A message to publish. */
export interface Publication {
  readonly topic: string;
  readonly data: Uint8Array | string;
  /**
   * A message whose `id` was published on this topic within the last 2 minutes is a duplicate: it is not published
   * again. Null for none.
   */
  readonly id: string | null;
  /** Null for a message without history: it gets no offset. */
  readonly history: HistoryLimits | null;
  /** Whether connections may compress it: reported with the message. */
  readonly compress: boolean;
}

/** The limits of a topic's history. Those of the newest message apply. */
export interface HistoryLimits {
  /** The number of messages. */
  readonly messages: number;
  /** Milliseconds for which a message is kept. */
  readonly age: number;
}

/** A message that was published. */
export interface Published {
  /** Null without history. */
  readonly offset: number | null;
  /** Null without history. */
  readonly epoch: string | null;
  /** Whether a message with this `id` had been published before; `offset` and `epoch` are those of that message. */
  readonly isDuplicate: boolean;
}

/** A part of the history. */
export interface Page {
  /** In order and without holes, `limit` at most; of one epoch. */
  readonly messages: readonly TopicMessage[];
  /**
   * Whether no message is missing between `after` and the first of `messages`, or the newest one if there is none.
   * Otherwise `messages` are the oldest that are left: in another epoch from its beginning.
   */
  readonly isComplete: boolean;
  /** The newest position when the page was read; null if the topic has no history. */
  readonly newest: Position | null;
}

/** Milliseconds for which the `id` of a message is remembered. */
export const DUPLICATE_WINDOW = 120_000;

/**
 * Milliseconds for which the position of a topic is remembered after its last message. A subscriber that returns after
 * the history has expired, and has missed nothing, then gets no gap.
 */
export const POSITION_LIFETIME = 86_400_000;
