// The objects that all connections of a process share: clock, random source, timers and ids. Transports extend it
// (transport/frames/frame-runtime.ts). Tests create their own on a fake clock.

import type { DiagnosticsObserver } from "./diagnostics-observer.js";
import type { SharedMessage } from "./message-transport.js";
import { SILENT_PLATFORM, type Platform } from "./platform.js";
import type { Clock, Random } from "./ports.js";
import type { Streaming } from "./reading/streaming.js";
import { TimerQueue } from "./timer-queue.js";

export interface PollHandler {
  onPolledTwice(): void;
}

export class Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: TimerQueue;
  /** Observes every connection, for the diagnostics channels; null for none. */
  readonly monitor: DiagnosticsObserver | null;
  readonly platform: Platform;
  /** Null if the transports of this runtime deliver only whole messages. */
  readonly streaming: Streaming | null;
  /** The handlers that wait for two polls, and those that wait for one. */
  #waiting: PollHandler[] = [];
  #due: PollHandler[] = [];
  #connections = 0;
  readonly #idPrefix: string;

  constructor(
    clock: Clock,
    random: Random,
    monitor: DiagnosticsObserver | null = null,
    platform = SILENT_PLATFORM,
    streaming: Streaming | null = null,
  ) {
    this.clock = clock;
    this.random = random;
    this.monitor = monitor;
    this.platform = platform;
    this.streaming = streaming;
    this.timers = new TimerQueue(clock);
    this.#idPrefix = toHex(this.randomBytes(5));
  }

  /** Calls back after the event loop has polled twice. All connections share its callbacks. */
  afterTwoPolls(handler: PollHandler): void {
    const isPlanned = this.#waiting.length + this.#due.length > 0;
    this.#waiting.push(handler);
    if (!isPlanned) this.clock.afterPoll(this.#onPolled);
  }

  readonly #onPolled = (): void => {
    const due = this.#due;
    this.#due = this.#waiting;
    this.#waiting = [];
    if (this.#due.length > 0) this.clock.afterPoll(this.#onPolled);
    for (const handler of due) handler.onPolledTwice();
  };

  /**
   * Notices stalls while deadlines are set, even if none is due meanwhile. Only where timers are punctual: those of a hidden
   * page come once a minute.
   */
  watchStalls(): void {
    // See node-runtime.ts.
  }

  /**
   * A message of `size` bytes was sent. Returns what its sender should wait for, so that the event loop gets its turn; null
   * where sends wait for the network anyway.
   */
  spend(_size: number): Promise<void> | null {
    return null;
  }

  randomBytes(size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    this.random.fill(bytes);
    return bytes;
  }

  /** Makes a message for many connections. Subclasses override it to share the encoded bytes. */
  share(data: string | Uint8Array, mayEncode: boolean, isWord = false): SharedMessage {
    const size = typeof data === "string" ? textEncoder.encode(data).length : data.length;
    return { data: typeof data === "string" ? data : data.slice(), size, mayEncode, isWord };
  }

  /** An id that is unique in this process, and most likely across processes. */
  nextId(): string {
    return `${this.#idPrefix}-${(++this.#connections).toString(36)}`;
  }
}

const textEncoder = new TextEncoder();

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
