import type { Socket } from "node:net";
import type { Faults } from "./faults.js";

/** What is on its way: bytes or an end, not to be forwarded before `dueAt`. */
type Item =
  | { readonly type: "bytes"; readonly dueAt: number; readonly bytes: Uint8Array }
  | { readonly type: "fin" | "rst"; readonly dueAt: number };

/** A lane that holds more overdue bytes than this reads no more, so that the sender's buffers fill in turn. */
const BACKLOG_LIMIT = 64 * 1024;

/** A throttled lane forwards what fits into so many milliseconds at a time. */
const THROTTLE_SLICE = 20;

/**
 * Between the last bytes and a cut the receiver gets so many milliseconds to read: libuv reports an RST that it
 * finds together with bytes as a FIN.
 */
const CUT_PAUSE = 10;

/** One direction of a connection: reads from one socket and writes to the other what the faults let through. */
export class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  #faults: Faults;
  #queue: Item[] = [];
  #queuedBytes = 0;
  #forwardedBytes = 0;
  #cut: { remaining: number; readonly run: () => void } | null = null;
  #throttledUntil = 0;
  /** True from a write until the pause behind it is over. */
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

  /** Calls `run` once that many more bytes went through, and lets nothing through after them. */
  cutAfter(bytes: number, run: () => void): void {
    if (bytes > 0) this.#cut = { remaining: bytes, run };
    else run();
  }

  callOffCut(): void {
    this.#cut = null;
  }

  /** Forwards nothing more, and reads on only to notice the sender's end. */
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

  /** Forwards what is due; comes back by itself when a write is done or a time has come. */
  #pump(): void {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    while (!this.#isBusy && this.#faults.flow === "open") {
      const item = this.#queue[0];
      if (item === undefined || (item.type === "fin" && this.#faults.isFinHeld)) break;
      const wait = Math.max(item.dueAt, this.#throttledUntil) - performance.now();
      if (wait > 0) {
        this.#pumpIn(wait);
        break;
      }
      this.#queue.shift();
      if (item.type === "bytes") this.#forward(item.bytes, item.dueAt);
      else if (item.type === "fin") this.#to.end();
      else this.#to.resetAndDestroy();
    }
    this.#regulateReading();
  }

  #pumpIn(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#pump();
    }, ms);
    // The sockets keep the process alive, not what waits between them.
    this.#timer.unref();
  }

  /** Writes the part of the bytes that may go in one piece and puts the rest back in front. */
  #forward(bytes: Uint8Array, dueAt: number): void {
    const { bytesPerSecond, chunkSize } = this.#faults;
    const slice = bytesPerSecond === null ? Infinity : Math.ceil((bytesPerSecond * THROTTLE_SLICE) / 1000);
    const size = Math.min(bytes.length, chunkSize ?? Infinity, slice, this.#cut?.remaining ?? Infinity);
    if (size < bytes.length) this.#queue.unshift({ type: "bytes", dueAt, bytes: bytes.subarray(size) });
    if (bytesPerSecond !== null) {
      // Counted from when the slice was due rather than from a timer that was late, so that the rate is exact;
      // but an idle time earns no more than one slice.
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
    if (this.#cut?.remaining === 0) this.#cutTimer = setTimeout(goOn, CUT_PAUSE);
    else if (this.#faults.chunkSize !== null) this.#immediate = setImmediate(goOn);
    else goOn();
  }

  #regulateReading(): void {
    const isOverdue = this.#isBusy || (this.#queue[0]?.dueAt ?? Infinity) <= performance.now();
    const isFull = isOverdue && this.#queuedBytes > BACKLOG_LIMIT;
    if (this.#faults.flow === "frozen" || (this.#faults.flow === "open" && isFull)) this.#from.pause();
    else this.#from.resume();
  }
}
