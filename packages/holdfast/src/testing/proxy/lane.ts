// One direction of a connection through a fault proxy: delays, throttles, freezes and cuts its bytes.

import type { Socket } from "node:net";
import { reset } from "../reset.js";
import type { Faults } from "./faults.js";

/** Bytes or an end in transit, to be forwarded at `dueAt` or later. */
type Item =
  | { readonly type: "bytes"; readonly dueAt: number; readonly bytes: Uint8Array }
  | { readonly type: "fin" | "rst"; readonly dueAt: number };

/** With more overdue bytes than this, a lane stops reading, so that the sender's buffers fill. */
const BACKLOG_LIMIT = 64 * 1024;

/** A throttled lane forwards in slices of this many milliseconds. */
const THROTTLE_SLICE = 20;

/**
 * Milliseconds between the last bytes and a cut, for the receiver to read the bytes: libuv reports bytes together with an
 * RST as a FIN.
 */
const CUT_PAUSE = 10;

/** One direction of a connection: reads from one socket, applies the faults, and writes to the other. */
export class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  #faults: Faults;
  #queue: Item[] = [];
  #queuedBytes = 0;
  #forwardedBytes = 0;
  #cut: { remaining: number; readonly run: () => void } | null = null;
  #throttledUntil = 0;
  /** True from a write until the pause after it is over. */
  #isBusy = false;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;
  #cutTimer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  constructor(from: Socket, to: Socket, faults: Faults) {
    this.#from = from;
    this.#to = to;
    this.#faults = faults;
    from.on("data", (bytes: Buffer) => {
      this.#receive({ type: "bytes", dueAt: this.#dueAt(), bytes });
    });
    from.on("end", () => {
      this.#receive({ type: "fin", dueAt: this.#dueAt() });
    });
    from.on("error", () => {
      this.#receive({ type: "rst", dueAt: this.#dueAt() });
    });
    this.#regulateReading();
  }

  get forwardedBytes(): number {
    return this.#forwardedBytes;
  }

  set(faults: Partial<Faults>): void {
    this.#faults = { ...this.#faults, ...faults };
    if (faults.bytesPerSecond !== undefined) this.#throttledUntil = 0;
    if (this.#faults.flow === "blackholed") this.#drop();
    this.#pump();
  }

  /** Calls `run` after this many more bytes, and forwards nothing beyond them. */
  cutAfter(bytes: number, run: () => void): void {
    if (bytes > 0) this.#cut = { remaining: bytes, run };
    else run();
  }

  callOffCut(): void {
    this.#cut = null;
  }

  /** Stops forwarding, and keeps reading only to notice the sender's end. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#cutTimer);
    clearImmediate(this.#immediate);
    this.#drop();
    this.#from.resume();
  }

  #dueAt(): number {
    return performance.now() + this.#faults.delay;
  }

  #receive(item: Item): void {
    if (this.#isStopped || this.#faults.flow === "blackholed") return;
    this.#queue.push(item);
    if (item.type === "bytes") this.#queuedBytes += item.bytes.length;
    this.#pump();
  }

  #drop(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  /** Forwards the bytes that are due, and schedules itself for the end of a write or the next due time. */
  #pump(): void {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    while (!this.#isBusy && this.#faults.flow === "open") {
      const item = this.#queue.at(0);
      if (item === undefined || (item.type === "fin" && this.#faults.isFinHeld)) break;
      const wait = Math.max(item.dueAt, this.#throttledUntil) - performance.now();
      if (wait > 0) {
        this.#pumpIn(wait);
        break;
      }
      this.#queue.shift();
      if (item.type === "bytes") this.#forward(item.bytes, item.dueAt);
      else if (item.type === "fin") this.#to.end();
      else reset(this.#to);
    }
    this.#regulateReading();
  }

  #pumpIn(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#pump();
    }, ms);
    // Only the sockets keep the process alive, not the bytes in transit.
    this.#timer.unref();
  }

  /** Writes as many bytes as one piece may have, and puts the rest back at the front of the queue. */
  #forward(bytes: Uint8Array, dueAt: number): void {
    const { bytesPerSecond, chunkSize } = this.#faults;
    const slice = bytesPerSecond === null ? Infinity : Math.ceil((bytesPerSecond * THROTTLE_SLICE) / 1000);
    const size = Math.min(bytes.length, chunkSize ?? Infinity, slice, this.#cut?.remaining ?? Infinity);
    if (size < bytes.length) this.#queue.unshift({ type: "bytes", dueAt, bytes: bytes.subarray(size) });
    if (bytesPerSecond !== null) {
      // Count from when the slice was due, not from when a late timer ran, so that the rate is exact. An idle
      // time earns at most one slice.
      const start = Math.max(this.#throttledUntil, performance.now() - THROTTLE_SLICE);
      this.#throttledUntil = start + (size / bytesPerSecond) * 1000;
    }
    this.#queuedBytes -= size;
    this.#forwardedBytes += size;
    if (this.#cut !== null) this.#cut.remaining -= size;
    this.#isBusy = true;
    this.#to.write(bytes.subarray(0, size), () => {
      this.#pauseBehindWrite();
    });
  }

  #pauseBehindWrite(): void {
    if (this.#isStopped) return;
    const goOn = () => {
      this.#isBusy = false;
      if (this.#cut?.remaining === 0) this.#cut.run();
      else this.#pump();
    };
    // A receiver in this process reads before the immediate, also where the process was too busy to run meanwhile.
    const goOnInNextTurn = () => void (this.#immediate = setImmediate(goOn));
    if (this.#cut?.remaining === 0) this.#cutTimer = setTimeout(goOnInNextTurn, CUT_PAUSE);
    else if (this.#faults.chunkSize !== null) goOnInNextTurn();
    else goOn();
  }

  #regulateReading(): void {
    const isOverdue = this.#isBusy || (this.#queue[0]?.dueAt ?? Infinity) <= performance.now();
    const isFull = isOverdue && this.#queuedBytes > BACKLOG_LIMIT;
    if (this.#faults.flow === "frozen" || (this.#faults.flow === "open" && isFull)) this.#from.pause();
    else this.#from.resume();
  }
}
