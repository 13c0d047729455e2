// The sending half of a persistent connection. It passes messages on while the current connection has room, and keeps them
// in a bounded queue otherwise. Messages keep the order of the calls, even across connections.

import { toBytes, type Bytes } from "../../connection/arguments.js";
import type { Connection } from "../../connection/connection.js";
import type { SendUntil } from "../../connection/message-transport.js";
import type { Runtime } from "../../connection/runtime.js";
import type { Deliveries } from "./deliveries.js";
import {
  NotSentError,
  type NotSentOutcome,
  type NotSentReason,
} from "../../connection/sending/not-sent-error.js";
import type { QueuedMessage } from "../../session/kept-state.js";
import { TextBytes } from "../../shared/text-bytes.js";
import { OutgoingMessage, type OutgoingMessageHandler } from "./outgoing-message.js";
import type { SendingSettings } from "./persistent-options.js";

export interface MessageSettings {
  readonly mayEncode: boolean;
  readonly signal: AbortSignal | null;
  readonly until: SendUntil;
  /** Milliseconds; null for no limit. */
  readonly timeToLive: number | null;
}

export class Sender implements OutgoingMessageHandler {
  readonly #runtime: Runtime;
  readonly #settings: SendingSettings;
  readonly #writeLimit: number;
  /** A set keeps the order, and removes expired messages from the middle cheaply. */
  #queue = new Set<OutgoingMessage>();
  #queuedBytes = 0;
  /** The messages of an earlier client, until the first connection. */
  #restored: readonly OutgoingMessage[] = [];
  /** Null before the first connection. */
  #deliveries: Deliveries | null = null;
  #isClosed = false;

  constructor(runtime: Runtime, settings: SendingSettings, writeLimit: number) {
    this.#runtime = runtime;
    this.#settings = settings;
    this.#writeLimit = writeLimit;
  }

  /** The messages that wait for a connection, or for room in the current one. */
  get queued(): { readonly messages: number; readonly bytes: number } {
    return { messages: this.#queue.size, bytes: this.#queuedBytes };
  }

  /** Resolves when the message is sent; rejects with NotSentError if it was not, or may not have been. */
  send(data: string | Bytes, { mayEncode, signal, until, timeToLive }: MessageSettings): Promise<void> {
    const expiresAt = timeToLive === null ? null : this.#runtime.clock.now() + timeToLive;
    const message = new OutgoingMessage(this, data, { mayEncode, signal, until, expiresAt });
    const rejection = this.#rejection(signal);
    if (rejection !== null) message.fail(rejection);
    else this.#accept(message);
    return message.promise;
  }

  /** A connection has opened: sends the queued messages. */
  open(connection: Connection, deliveriesClass: typeof Deliveries): void {
    this.#deliveries ??= new deliveriesClass(this.#writeLimit, () => this.#drain());
    this.#restored = [];
    this.#deliveries.begin(connection);
    this.#drain();
  }

  /** The connection has ended. Its messages of which no byte was sent go back to the front of the queue. */
  onConnectionEnded(cause: Error): void {
    const unsent = this.#deliveries?.end(cause) ?? null;
    if (unsent === null) return;
    const waiting = [...unsent, ...this.#queue];
    this.#queue = new Set();
    this.#queuedBytes = 0;
    for (const message of waiting) {
      const rejection = this.#rejection(message.signal, "lost", cause);
      if (rejection === null) this.#enqueue(message);
      else this.#fail(message, rejection);
    }
  }

  /** No more messages may be sent. Queued ones go to an open connection before its Close, even if its buffer is full. */
  finish(): void {
    this.#isClosed = true;
    const deliveries = this.#open;
    for (const message of this.#queue) {
      if (deliveries === null) {
        this.#fail(message, new NotSentError("closed", "unsent"));
      } else {
        this.#remove(message);
        deliveries.deliver(message);
      }
    }
  }

  /** The persistent connection has ended. If its queue was saved, another client may send it. */
  end(cause: Error, isSaved = false): void {
    this.#isClosed = true;
    this.onConnectionEnded(cause);
    this.#failQueued("closed", isSaved ? "unknown" : "unsent", cause);
  }

  /** The messages of the queue, for `restore()` of another client. Only without a connection. */
  save(): readonly QueuedMessage[] {
    const { clock } = this.#runtime;
    const epoch = clock.wallNow() - clock.now();
    return Array.from(this.#queue, ({ data, mayEncode, expiresAt }) => ({
      data:
        typeof data === "string" || data instanceof TextBytes ? data : (toBytes(data) ?? new Uint8Array()),
      mayEncode,
      expiresAt: expiresAt === null ? null : epoch + expiresAt,
    }));
  }

  /** Only into an empty queue. Nobody waits for what becomes of these messages. */
  restore(messages: readonly QueuedMessage[]): void {
    const { clock } = this.#runtime;
    const epoch = clock.wallNow() - clock.now();
    for (const { data, mayEncode, expiresAt } of messages) {
      const at = expiresAt === null ? null : expiresAt - epoch;
      const options = { mayEncode, signal: null, until: "sent" as const, expiresAt: at };
      this.#enqueue(new OutgoingMessage(this, data, options));
    }
    this.#restored = [...this.#queue];
  }

  /** The restored messages must not be sent. Returns their number. */
  dropRestored(): number {
    const dropped = this.#restored.filter((message) => this.#queue.has(message));
    for (const message of dropped) this.#fail(message, new NotSentError("session-lost", "unsent"));
    return dropped.length;
  }

  /** Another client has taken over the queue. */
  forget(): void {
    this.#failQueued("session-lost", "unknown");
  }

  /** The session is lost, and no other follows. Returns the number of messages that it was to deliver. */
  failUndeliverable(): number {
    let count = 0;
    for (const message of this.#queue) {
      if (message.until !== "delivered") continue;
      this.#fail(message, new NotSentError("session-lost", "unsent"));
      count++;
    }
    return count;
  }

  onExpired(message: OutgoingMessage): void {
    this.#remove(message);
    message.expire(new NotSentError("expired", "unsent"));
  }

  /** The connection cancels a message that was passed to it. */
  onAborted(message: OutgoingMessage): void {
    if (!this.#queue.has(message)) return;
    this.#fail(message, new NotSentError("aborted", "unsent", message.signal?.reason));
  }

  /** Returns the reason not to accept or keep a message; null if there is none. */
  #rejection(
    signal: AbortSignal | null,
    reason: NotSentReason = "offline",
    cause?: Error,
  ): NotSentError | null {
    if (signal?.aborted === true) return new NotSentError("aborted", "unsent", signal.reason);
    if (this.#isClosed) return new NotSentError("closed", "unsent", cause);
    const isRejecting = this.#settings.offline === "reject" && this.#open === null;
    return isRejecting ? new NotSentError(reason, "unsent", cause) : null;
  }

  /** Null without a connection that accepts messages. */
  get #open(): Deliveries | null {
    return this.#deliveries?.isOpen === true ? this.#deliveries : null;
  }

  #accept(message: OutgoingMessage): void {
    if (this.#deliveries?.hasRoom === true && this.#queue.size === 0) this.#deliveries.handOver(message);
    else this.#enqueueWithinLimits(message);
  }

  #enqueueWithinLimits(message: OutgoingMessage): void {
    const { maxMessages, maxBytes, overflow } = this.#settings;
    const isFull = (): boolean =>
      this.#queue.size >= maxMessages || this.#queuedBytes + message.size > maxBytes;
    if (overflow === "drop-oldest" && message.size <= maxBytes) {
      for (const oldest of this.#queue) {
        if (!isFull()) break;
        this.#fail(oldest, new NotSentError("overflow", "unsent"));
      }
    }
    if (isFull()) this.#fail(message, new NotSentError("overflow", "unsent"));
    else this.#enqueue(message);
  }

  #enqueue(message: OutgoingMessage): void {
    message.copyData();
    this.#queue.add(message);
    this.#queuedBytes += message.size;
    if (message.expiresAt !== null) this.#runtime.timers.set(message, message.expiresAt);
  }

  #remove(message: OutgoingMessage): void {
    this.#runtime.timers.cancel(message);
    if (this.#queue.delete(message)) this.#queuedBytes -= message.size;
  }

  #failQueued(reason: NotSentReason, outcome: NotSentOutcome, cause?: Error): void {
    for (const message of this.#queue) this.#fail(message, new NotSentError(reason, outcome, cause));
  }

  #fail(message: OutgoingMessage, error: NotSentError): void {
    this.#remove(message);
    message.fail(error);
  }

  /** Sends queued messages as long as the connection has room. */
  #drain(): void {
    for (const message of this.#queue) {
      if (this.#deliveries?.hasRoom !== true) return;
      this.#remove(message);
      this.#deliveries.handOver(message);
    }
  }
}
