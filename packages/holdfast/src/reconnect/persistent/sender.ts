// Sends the messages of a persistent connection: at the pace of the connection there is, and keeps them in a bounded
// queue while there is none. Their order is that of the calls, across connections, too.

import type { Bytes } from "../../connection/arguments.js";
import { coreOf, type Connection } from "../../connection/connection.js";
import type { Runtime } from "../../connection/runtime.js";
import { Delivery } from "./delivery.js";
import { NotSentError, type NotSentReason } from "./not-sent-error.js";
import { OutgoingMessage, type OutgoingMessageHandler } from "./outgoing-message.js";
import type { SendingSettings } from "./persistent-options.js";

export interface MessageSettings {
  readonly mayEncode: boolean;
  readonly signal: AbortSignal | null;
  /** Milliseconds; null for no limit. */
  readonly timeToLive: number | null;
}

export class Sender implements OutgoingMessageHandler {
  readonly #runtime: Runtime;
  readonly #settings: SendingSettings;
  readonly #writeLimit: number;
  /** A set keeps the order, and lets go of what expires in the middle at no cost. */
  #queue = new Set<OutgoingMessage>();
  #queuedBytes = 0;
  readonly #deliveries = new Set<Delivery>();
  #connection: Connection | null = null;
  /** The connection has as much as it wants for now. */
  #isPacing = false;
  #isClosed = false;

  constructor(runtime: Runtime, settings: SendingSettings, writeLimit: number) {
    this.#runtime = runtime;
    this.#settings = settings;
    this.#writeLimit = writeLimit;
  }

  /** What waits for a connection, or for room in the one there is. */
  get queued(): { readonly messages: number; readonly bytes: number } {
    return { messages: this.#queue.size, bytes: this.#queuedBytes };
  }

  /** Resolves when the message is sent; rejects with NotSentError when it is not, or perhaps not. */
  send(data: string | Bytes, { mayEncode, signal, timeToLive }: MessageSettings): Promise<void> {
    const expiresAt = timeToLive === null ? null : this.#runtime.clock.now() + timeToLive;
    const message = new OutgoingMessage(this, data, { mayEncode, signal, expiresAt });
    const refusal = this.#refusal(signal);
    if (refusal !== null) message.fail(refusal);
    else this.#take(message);
    return message.promise;
  }

  /** There is a connection: what waits goes out first. */
  open(connection: Connection): void {
    this.#connection = connection;
    this.#drain();
  }

  /** The connection is gone. What of its messages was not sent at all waits for the next one, ahead of the others. */
  lose(cause: Error): void {
    if (this.#connection === null) return;
    this.#connection = null;
    this.#isPacing = false;
    const unsent: OutgoingMessage[] = [];
    for (const delivery of this.#deliveries) {
      const message = delivery.withdraw(cause);
      if (message !== null) unsent.push(message);
    }
    this.#deliveries.clear();
    const waiting = [...unsent, ...this.#queue];
    this.#queue = new Set();
    this.#queuedBytes = 0;
    for (const message of waiting) {
      const refusal = this.#refusal(message.signal, "lost", cause);
      if (refusal === null) this.#keep(message);
      else this.#fail(message, refusal);
    }
  }

  /** Nothing more may be sent: what waits still goes to an open connection, whatever room it has, ahead of its Close. */
  finish(): void {
    this.#isClosed = true;
    const connection = this.#usable;
    for (const message of this.#queue) {
      if (connection === null) {
        this.#fail(message, new NotSentError("closed", "unsent"));
      } else {
        this.#remove(message);
        this.#deliver(message, connection);
      }
    }
  }

  /** All is over. */
  end(cause: Error): void {
    this.#isClosed = true;
    this.lose(cause);
    for (const message of this.#queue) this.#fail(message, new NotSentError("closed", "unsent", cause));
  }

  onExpired(message: OutgoingMessage): void {
    this.#fail(message, new NotSentError("expired", "unsent"));
  }

  /** One that was handed to a connection is that connection's to take back, where it still can. */
  onAborted(message: OutgoingMessage): void {
    if (!this.#queue.has(message)) return;
    this.#fail(message, new NotSentError("aborted", "unsent", message.signal?.reason));
  }

  /** Why a message cannot be taken, or kept; null where it can. */
  #refusal(
    signal: AbortSignal | null,
    reason: NotSentReason = "offline",
    cause?: Error,
  ): NotSentError | null {
    if (signal?.aborted === true) return new NotSentError("aborted", "unsent", signal.reason);
    if (this.#isClosed) return new NotSentError("closed", "unsent", cause);
    const isRejecting = this.#settings.offline === "reject" && this.#usable === null;
    return isRejecting ? new NotSentError(reason, "unsent", cause) : null;
  }

  /** The connection, while it takes messages: not once it is closing. */
  get #usable(): Connection | null {
    return this.#connection?.state === "open" ? this.#connection : null;
  }

  #take(message: OutgoingMessage): void {
    const connection = this.#usable;
    const mustWait = connection === null || this.#isPacing || this.#queue.size > 0;
    if (mustWait) this.#admit(message);
    else this.#handOver(message, connection);
  }

  #admit(message: OutgoingMessage): void {
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
    else this.#keep(message);
  }

  #keep(message: OutgoingMessage): void {
    message.own();
    this.#queue.add(message);
    this.#queuedBytes += message.size;
    if (message.expiresAt !== null) this.#runtime.timers.set(message, message.expiresAt);
  }

  #remove(message: OutgoingMessage): void {
    this.#runtime.timers.cancel(message);
    if (this.#queue.delete(message)) this.#queuedBytes -= message.size;
  }

  #fail(message: OutgoingMessage, error: NotSentError): void {
    this.#remove(message);
    message.fail(error);
  }

  /** Hands over what waits, as long as the connection has room. */
  #drain(): void {
    for (const message of this.#queue) {
      const connection = this.#usable;
      if (connection === null || this.#isPacing) return;
      this.#remove(message);
      this.#handOver(message, connection);
    }
  }

  #handOver(message: OutgoingMessage, connection: Connection): void {
    const delivery = this.#deliver(message, connection);
    // What was sent in this turn may only wait for its end: that is not the peer's slowness.
    if (connection.bufferedAmount >= this.#writeLimit) coreOf(connection).flush();
    if (connection.bufferedAmount < this.#writeLimit) return;
    this.#isPacing = true;
    void delivery.paced.then(() => {
      if (this.#connection !== connection) return;
      this.#isPacing = false;
      this.#drain();
    });
  }

  #deliver(message: OutgoingMessage, connection: Connection): Delivery {
    const delivery = new Delivery(message, connection, (settled) => this.#deliveries.delete(settled));
    this.#deliveries.add(delivery);
    return delivery;
  }
}
