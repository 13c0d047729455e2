// Messages on their way into a browser's WebSocket. It takes everything at once, into memory, and does not tell when
// it has sent it: what waits is kept here, so that a ping or a Close can overtake it and a send can be taken back.

import type { Message } from "../connection/inbox.js";
import type { Runtime } from "../connection/runtime.js";
import type { Receipt, SendSettings } from "../connection/wire.js";
import { Alarm, type AlarmHandler } from "../connection/timer-queue.js";
import { SENT } from "../connection/sent.js";

/** How often, in milliseconds, it is looked at whether the browser has sent some of what it was given. */
const LOOK_AGAIN = 20;

interface Entry {
  readonly message: Message;
  readonly onSent: (() => void) | null;
  readonly receipt: Receipt | null;
  state: "dropped" | "handed-over" | "queued";
}

interface Waiter {
  readonly entry: Entry;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  readonly stopWatching: () => void;
}

export interface SendQueueOptions {
  readonly runtime: Runtime;
  readonly socket: WebSocket;
  readonly writeLimit: number;
  /** A message of this size was handed to the browser. */
  readonly onHandedOver: (size: number) => void;
}

export class SendQueue implements AlarmHandler {
  readonly #options: SendQueueOptions;
  readonly #alarm = new Alarm(this);
  #entries: Entry[] = [];
  #bytes = 0;
  #droppedBytes = 0;
  #waiters: Waiter[] = [];
  #onEmpty: (() => void) | null = null;

  constructor(options: SendQueueOptions) {
    this.#options = options;
  }

  /** Bytes that were sent, and that the browser has not handed to the network. */
  get bufferedAmount(): number {
    return this.#bytes + this.#options.socket.bufferedAmount;
  }

  /** The same, and what was given up because it stood in the way of a Close. */
  get unsentBytes(): number {
    return this.bufferedAmount + this.#droppedBytes;
  }

  /** Resolves while fewer than `writeLimit` bytes are unsent. */
  send(message: Message, { signal, receipt }: Pick<SendSettings, "receipt" | "signal">): Promise<void> {
    const entry = this.#add({ message, onSent: null, receipt, state: "queued" }, this.#entries.length);
    this.#move();
    if (entry.state === "handed-over" && this.#isRoomy) return SENT;
    return this.#wait(entry, signal);
  }

  /** Ahead of all that wait; what is returned takes it back. */
  sendAhead(message: Message, onSent: () => void): () => void {
    const place = this.#entries.findIndex((entry) => entry.onSent === null);
    const entry = this.#add(
      { message, onSent, receipt: null, state: "queued" },
      place === -1 ? this.#entries.length : place,
    );
    this.#move();
    return () => this.#withdraw(entry);
  }

  /** Calls back once nothing waits here any more. */
  whenEmpty(callback: () => void): void {
    this.#onEmpty = callback;
    this.#move();
  }

  /** Forgets what waits; its sends go on waiting for the connection's end. */
  drop(): void {
    for (const entry of this.#entries) entry.state = "dropped";
    this.#entries = [];
    this.#droppedBytes += this.#bytes;
    this.#bytes = 0;
  }

  /** The connection is gone. */
  fail(closedError: () => Error): void {
    this.drop();
    this.#onEmpty = null;
    this.#options.runtime.timers.cancel(this.#alarm);
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      waiter.stopWatching();
      waiter.reject(closedError());
    }
  }

  onAlarm(): void {
    this.#move();
  }

  get #isRoomy(): boolean {
    return this.bufferedAmount < this.#options.writeLimit;
  }

  #add(entry: Entry, place: number): Entry {
    this.#entries.splice(place, 0, entry);
    this.#bytes += entry.message.length;
    return entry;
  }

  /** Hands over what there is room for, and looks again later where something is left to wait for. */
  #move(): void {
    const { socket, writeLimit, runtime } = this.#options;
    while (socket.readyState === socket.OPEN && socket.bufferedAmount < writeLimit) {
      const entry = this.#entries.shift();
      if (entry === undefined) break;
      this.#handOver(entry);
    }
    if (this.#entries.length === 0) this.#tellEmpty();
    this.#wakeWaiters();
    const isWaiting = this.#entries.length > 0 || this.#waiters.length > 0;
    if (isWaiting && socket.readyState === socket.OPEN) {
      runtime.timers.set(this.#alarm, runtime.clock.now() + LOOK_AGAIN);
    } else {
      runtime.timers.cancel(this.#alarm);
    }
  }

  #handOver(entry: Entry): void {
    const { message, onSent, receipt } = entry;
    this.#bytes -= message.length;
    entry.state = "handed-over";
    onSent?.();
    receipt?.onHandedOver();
    this.#options.socket.send(typeof message === "string" ? message : unshared(message));
    this.#options.onHandedOver(message.length);
  }

  #tellEmpty(): void {
    const onEmpty = this.#onEmpty;
    this.#onEmpty = null;
    onEmpty?.();
  }

  #wait(entry: Entry, signal: AbortSignal | null): Promise<void> {
    const promise = new Promise<void>((resolve, reject) => {
      const onAbort = (): void => this.#abort(entry, signal?.reason);
      signal?.addEventListener("abort", onAbort);
      const stopWatching = (): void => signal?.removeEventListener("abort", onAbort);
      this.#waiters.push({ entry, resolve, reject, stopWatching });
    });
    // A send that nobody awaits must not end as an unhandled rejection when the connection is lost.
    promise.catch(() => undefined);
    const { runtime } = this.#options;
    if (!this.#alarm.isSet) runtime.timers.set(this.#alarm, runtime.clock.now() + LOOK_AGAIN);
    return promise;
  }

  #wakeWaiters(): void {
    if (this.#waiters.length === 0 || !this.#isRoomy) return;
    const waiters = this.#waiters;
    const isDone = ({ entry }: Waiter): boolean => entry.state === "handed-over";
    this.#waiters = waiters.filter((waiter) => !isDone(waiter));
    for (const waiter of waiters) {
      if (!isDone(waiter)) continue;
      waiter.stopWatching();
      waiter.resolve();
    }
  }

  #withdraw(entry: Entry): void {
    if (entry.state !== "queued") return;
    entry.state = "dropped";
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    this.#bytes -= entry.message.length;
  }

  /** What still waits here is taken back; what the browser has is on its way, and its send is done with waiting. */
  #abort(entry: Entry, reason: unknown): void {
    const waiter = this.#waiters.find((candidate) => candidate.entry === entry);
    if (waiter === undefined) return;
    this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
    waiter.stopWatching();
    this.#withdraw(entry);
    if (entry.state === "handed-over") waiter.resolve();
    else waiter.reject(reason);
  }
}

/** Browsers refuse memory that is shared with other threads. */
function unshared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}
