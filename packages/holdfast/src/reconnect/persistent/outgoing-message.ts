// A message on its way out of a persistent connection: it waits, perhaps is handed to one connection after the other,
// and ends exactly once.

import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import { toBytes, type Bytes } from "../../connection/arguments.js";
import { Deadline } from "../../connection/timer-queue.js";
import { TextBytes } from "../../shared/text-bytes.js";

/** Who keeps the messages that wait. */
export interface OutgoingMessageHandler {
  onExpired(message: OutgoingMessage): void;
  onAborted(message: OutgoingMessage): void;
}

export interface OutgoingOptions {
  readonly mayEncode: boolean;
  readonly signal: AbortSignal | null;
  /** Monotonic time at which it is of no use any more; null for never. */
  readonly expiresAt: number | null;
}

export class OutgoingMessage extends Deadline {
  /** Settles once, as the message does. */
  readonly promise: Promise<void>;
  readonly mayEncode: boolean;
  readonly signal: AbortSignal | null;
  readonly expiresAt: number | null;
  readonly #keeper: OutgoingMessageHandler;
  #data: string | Bytes;
  #isOwned = false;
  #resolve: () => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor(keeper: OutgoingMessageHandler, data: string | Bytes, options: OutgoingOptions) {
    super();
    this.#keeper = keeper;
    this.#data = data;
    this.mayEncode = options.mayEncode;
    this.signal = options.signal;
    this.expiresAt = options.expiresAt;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A send that nobody awaits must not end the process when its message is not sent.
    this.promise.catch(() => undefined);
    if (this.signal !== null) watchAbort(this.signal, this.#onAbort);
  }

  get data(): string | Bytes {
    return this.#data;
  }

  /** In bytes; a string counts its characters. */
  get size(): number {
    return typeof this.#data === "string" ? this.#data.length : this.#data.byteLength;
  }

  /** It has to wait: the caller may use the same memory for the next message. */
  own(): void {
    if (typeof this.#data === "string" || this.#isOwned) return;
    this.#isOwned = true;
    const bytes = toBytes(this.#data) ?? new Uint8Array();
    this.#data = this.#data instanceof TextBytes ? new TextBytes(bytes) : new Uint8Array(bytes);
  }

  sent(): void {
    this.#forget();
    this.#resolve();
  }

  /** It was not sent, or perhaps not. */
  fail(error: Error): void {
    this.#forget();
    this.#reject(error);
  }

  onAlarm(): void {
    this.#keeper.onExpired(this);
  }

  #forget(): void {
    if (this.signal !== null) unwatchAbort(this.signal, this.#onAbort);
  }

  readonly #onAbort = (): void => this.#keeper.onAborted(this);
}
