// A message that a persistent connection sends. It may wait in the queue, and may be passed to one connection after
// another. Its promise settles exactly once.

import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import { Deferred, quietly } from "../../shared/deferred.js";
import { toBytes, type Bytes } from "../../connection/arguments.js";
import { rejectToCaller } from "../../connection/caller-stack.js";
import type { SendUntil } from "../../connection/message-transport.js";
import { Deadline } from "../../connection/timer-queue.js";
import { TextBytes } from "../../shared/text-bytes.js";

/** The sender, which queues the messages. */
export interface OutgoingMessageHandler {
  onExpired(message: OutgoingMessage): void;
  onAborted(message: OutgoingMessage): void;
}

export interface OutgoingOptions {
  readonly mayEncode: boolean;
  readonly signal: AbortSignal | null;
  readonly until: SendUntil;
  /** Monotonic time at which it expires; null for never. */
  readonly expiresAt: number | null;
}

export class OutgoingMessage extends Deadline {
  /** Resolves when the message is sent; rejects if it was not, or may not have been. */
  readonly promise: Promise<void>;
  readonly mayEncode: boolean;
  readonly signal: AbortSignal | null;
  readonly until: SendUntil;
  readonly expiresAt: number | null;
  readonly #handler: OutgoingMessageHandler;
  #data: string | Bytes;
  #isCopied = false;
  readonly #outcome = new Deferred();

  constructor(handler: OutgoingMessageHandler, data: string | Bytes, options: OutgoingOptions) {
    super();
    this.#handler = handler;
    this.#data = data;
    this.mayEncode = options.mayEncode;
    this.signal = options.signal;
    this.until = options.until;
    this.expiresAt = options.expiresAt;
    this.promise = this.#outcome.promise;
    watchAbort(this.signal, this.#onAbort);
  }

  get data(): string | Bytes {
    return this.#data;
  }

  /** In bytes; for a string, in characters. */
  get size(): number {
    return typeof this.#data === "string" ? this.#data.length : this.#data.byteLength;
  }

  /** Copies the bytes of a message that has to wait, since the caller may reuse its memory. */
  copyData(): void {
    if (typeof this.#data === "string" || this.#isCopied) return;
    this.#isCopied = true;
    const bytes = toBytes(this.#data) ?? new Uint8Array();
    this.#data = this.#data instanceof TextBytes ? new TextBytes(bytes) : new Uint8Array(bytes);
  }

  sent(): void {
    this.#stopWatching();
    this.#outcome.resolve();
  }

  /** The message was not sent, or may not have been. At once, so that the outcome is known before the end is. */
  fail(error: Error): void {
    this.#stopWatching();
    void quietly(this.promise);
    this.#outcome.reject(error);
  }

  /** The message has waited too long. The error names the caller, which takes a few more turns. */
  expire(error: Error): void {
    this.#stopWatching();
    this.#outcome.resolve(rejectToCaller(error, this.promise));
  }

  onAlarm(): void {
    this.#handler.onExpired(this);
  }

  #stopWatching(): void {
    unwatchAbort(this.signal, this.#onAbort);
  }

  readonly #onAbort = (): void => this.#handler.onAborted(this);
}
