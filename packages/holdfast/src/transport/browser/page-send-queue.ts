// Queues messages for a browser's WebSocket. The browser buffers any number of messages in memory and does
// not report when it has sent them. So unsent messages wait here, where a ping or a Close can overtake them
// and a send can be cancelled.

import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import { quietly } from "../../shared/deferred.js";
import type { Runtime } from "../../connection/runtime.js";
import type { SendObserver, SendSettings } from "../../connection/message-transport.js";
import { Deadline } from "../../connection/timer-queue.js";
import { SENT } from "../../connection/sent.js";

/** Milliseconds between two checks of how much the browser has sent. */
const LOOK_AGAIN = 20;

interface Entry {
  readonly message: string | Uint8Array;
  /** Its length when it was queued: memory that is transferred or resized meanwhile must not change the sums. */
  readonly size: number;
  readonly onSent: (() => void) | null;
  readonly receipt: SendObserver | null;
  state: "dropped" | "handed-over" | "queued";
}

interface Waiter {
  readonly entry: Entry;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  readonly stopWatching: () => void;
}

export interface PageSendQueueOptions {
  readonly runtime: Runtime;
  readonly socket: WebSocket;
  readonly writeLimit: number;
  /** Called when a message of this size has been passed to the browser. */
  readonly onHandedOver: (size: number) => void;
}

export class PageSendQueue extends Deadline {
  readonly #options: PageSendQueueOptions;
  /** In the order of the calls. A set, so that removing an aborted send takes constant time. */
  readonly #entries = new Set<Entry>();
  /** Messages to send before the others. */
  readonly #ahead = new Set<Entry>();
  #bytes = 0;
  #droppedBytes = 0;
  readonly #waiters = new Set<Waiter>();
  #onEmpty: (() => void) | null = null;

  constructor(options: PageSendQueueOptions) {
    super();
    this.#options = options;
  }

  /** Bytes passed to `send()` that the browser has not passed to the network yet. */
  get bufferedAmount(): number {
    return this.#bytes + this.#options.socket.bufferedAmount;
  }

  /** Like `bufferedAmount`, plus the messages that were discarded because of a Close. */
  get unsentBytes(): number {
    return this.bufferedAmount + this.#droppedBytes;
  }

  /** Resolves while fewer than `writeLimit` bytes are unsent. */
  send(
    message: string | Uint8Array,
    { signal, receipt }: Pick<SendSettings, "receipt" | "signal">,
  ): Promise<void> {
    const entry = this.#add({ message, size: message.length, onSent: null, receipt, state: "queued" });
    this.#move();
    if (entry.state === "handed-over" && this.#hasRoom) return SENT;
    return this.#wait(entry, signal);
  }

  /** Queues a message ahead of the others. Returns a function that cancels it. */
  sendAhead(message: string | Uint8Array, onSent: () => void): () => void {
    const entry = this.#add({ message, size: message.length, onSent, receipt: null, state: "queued" });
    this.#move();
    return () => this.#withdraw(entry);
  }

  /** Calls back once the queue is empty. */
  whenEmpty(callback: () => void): void {
    this.#onEmpty = callback;
    this.#move();
  }

  /** Discards the queue. The discarded sends stay pending until the connection ends. */
  drop(): void {
    for (const entry of [...this.#ahead, ...this.#entries]) entry.state = "dropped";
    this.#ahead.clear();
    this.#entries.clear();
    this.#droppedBytes += this.#bytes;
    this.#bytes = 0;
  }

  /** Rejects all sends: the connection has ended. */
  fail(closedError: () => Error): void {
    this.drop();
    this.#onEmpty = null;
    this.#options.runtime.timers.cancel(this);
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.stopWatching();
      waiter.reject(closedError());
    }
  }

  onAlarm(): void {
    this.#move();
  }

  get #hasRoom(): boolean {
    return this.bufferedAmount < this.#options.writeLimit;
  }

  #add(entry: Entry): Entry {
    this.#queueOf(entry).add(entry);
    this.#bytes += entry.size;
    return entry;
  }

  #queueOf({ onSent }: Entry): Set<Entry> {
    return onSent === null ? this.#entries : this.#ahead;
  }

  get #waiting(): number {
    return this.#ahead.size + this.#entries.size;
  }

  #oldest(): Entry | undefined {
    for (const queue of [this.#ahead, this.#entries]) for (const entry of queue) return entry;
    return undefined;
  }

  /** Passes as much to the browser as `writeLimit` allows, and checks again later if something is left. */
  #move(): void {
    const { socket, writeLimit, runtime } = this.#options;
    while (socket.readyState === socket.OPEN && socket.bufferedAmount < writeLimit) {
      const entry = this.#oldest();
      if (entry === undefined) break;
      this.#queueOf(entry).delete(entry);
      this.#handOver(entry);
    }
    if (this.#waiting === 0) this.#notifyEmpty();
    this.#wakeWaiters();
    const isWaiting = this.#waiting > 0 || this.#waiters.size > 0;
    if (isWaiting && socket.readyState === socket.OPEN) {
      runtime.timers.set(this, runtime.clock.now() + LOOK_AGAIN);
    } else {
      runtime.timers.cancel(this);
    }
  }

  #handOver(entry: Entry): void {
    const { message, size, onSent, receipt } = entry;
    this.#bytes -= size;
    entry.state = "handed-over";
    onSent?.();
    receipt?.onHandedOver();
    this.#options.socket.send(typeof message === "string" ? message : fixed(message));
    this.#options.onHandedOver(size);
  }

  #notifyEmpty(): void {
    const onEmpty = this.#onEmpty;
    this.#onEmpty = null;
    onEmpty?.();
  }

  #wait(entry: Entry, signal: AbortSignal | null): Promise<void> {
    const promise = new Promise<void>((resolve, reject) => {
      const onAbort = (): void => this.#abort(waiter, signal?.reason);
      watchAbort(signal, onAbort);
      const stopWatching = (): void => unwatchAbort(signal, onAbort);
      const waiter: Waiter = { entry, resolve, reject, stopWatching };
      this.#waiters.add(waiter);
    });
    const { runtime } = this.#options;
    if (!this.isSet) runtime.timers.set(this, runtime.clock.now() + LOOK_AGAIN);
    return quietly(promise);
  }

  #wakeWaiters(): void {
    if (this.#waiters.size === 0 || !this.#hasRoom) return;
    for (const waiter of this.#waiters) {
      if (waiter.entry.state !== "handed-over") continue;
      this.#waiters.delete(waiter);
      waiter.stopWatching();
      waiter.resolve();
    }
  }

  #withdraw(entry: Entry): void {
    if (entry.state !== "queued") return;
    entry.state = "dropped";
    this.#queueOf(entry).delete(entry);
    this.#bytes -= entry.size;
  }

  /**
   * Removes the message if it is still queued. If the browser already has it, the message is sent anyway, and
   * only the wait ends.
   */
  #abort(waiter: Waiter, reason: unknown): void {
    if (!this.#waiters.delete(waiter)) return;
    waiter.stopWatching();
    const { entry } = waiter;
    this.#withdraw(entry);
    if (entry.state === "handed-over") waiter.resolve();
    else waiter.reject(reason);
  }
}

/** Browsers reject memory that is shared with other threads, and memory that can be resized (WebIDL). */
function fixed(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes as { buffer: ArrayBufferLike & { readonly resizable?: boolean } };
  const isFixed = buffer instanceof ArrayBuffer && buffer.resizable !== true;
  return isFixed ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}
