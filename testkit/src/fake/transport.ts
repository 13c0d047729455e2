import { type BytesLike, concatBytes, toBytes } from "../../../packages/holdfast/build/testing/bytes.js";
import type { Address, ByteStream, ByteStreamHandler } from "../ports.js";
import type { FakeClock } from "../../../packages/holdfast/build/testing/fake/clock.js";
import { SendBuffer } from "./send-buffer.js";

export interface FakeTransportOptions {
  /** The clock whose turns deliver `onClosed` and waiting data; without one, the microtask queue does. */
  readonly clock?: FakeClock;
  /**
   * Bytes that the kernel accepts before the peer has to read; `drain` makes room again. @default Infinity
   */
  readonly capacity?: number;
  readonly remoteAddress?: Address | null;
  readonly localAddress?: Address | null;
}

type Arrival = { readonly type: "chunk"; readonly bytes: Uint8Array<ArrayBuffer> } | { readonly type: "eof" };

/**
 * A socket without a network. The test plays the kernel and the peer: `deliver`, `arrive`, `eof`, `fail`, `drain`.
 * As with a real socket, `onClosed` comes once, last, and never inside a call of the transport's user.
 */
export class FakeTransport implements ByteStream {
  readonly remoteAddress: Address | null;
  readonly localAddress: Address | null;
  readonly #clock: FakeClock | null;
  readonly #sendBuffer: SendBuffer;
  readonly #arrivals: Arrival[] = [];
  #writes: Uint8Array<ArrayBuffer>[] = [];
  #handler: ByteStreamHandler | null = null;
  #failure: (Error & { readonly code: string }) | null = null;
  #isPaused = false;
  #isReading = false;
  #isEofDelivered = false;
  #isEnded = false;
  #isDestroyed = false;
  #isClosed = false;

  constructor(options: FakeTransportOptions = {}) {
    this.#clock = options.clock ?? null;
    this.#sendBuffer = new SendBuffer(options.capacity ?? Infinity);
    this.remoteAddress = options.remoteAddress ?? { address: "127.0.0.1", port: 80 };
    this.localAddress = options.localAddress ?? { address: "127.0.0.1", port: 50_000 };
  }

  // For the user of the transport.

  get bufferedAmount(): number {
    return this.#sendBuffer.length;
  }

  get isBlocked(): boolean {
    return this.#sendBuffer.length > 0;
  }

  start(handler: ByteStreamHandler): void {
    if (this.#handler !== null) throw new Error("The transport was started twice");
    this.#handler = handler;
    this.#atPoll(() => {
      this.#readArrivals();
      if (this.#isDestroyed) this.#announceEnd();
    });
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#isEnded) throw new Error("The transport was written to after end()");
    if (this.#isDestroyed) return true;
    this.#writes.push(concatBytes(chunks));
    for (const chunk of chunks) this.#sendBuffer.push(chunk);
    return !this.isBlocked;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#atPoll(() => {
      this.#readArrivals();
    });
  }

  end(): void {
    this.#isEnded = true;
    this.#closeOnceBothEnded();
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#arrivals.length = 0;
    this.#sendBuffer.clear();
    if (this.#handler !== null) this.#announceEnd();
  }

  // For the test, in the roles of kernel and peer.

  /** The bytes arrive and are read at once, or when paused reading resumes. */
  deliver(data: BytesLike): void {
    this.arrive(data);
    this.#readArrivals();
  }

  /** The bytes arrive in the kernel; the clock's next poll reads them, after the timers that are due. */
  arrive(data: BytesLike): void {
    this.#arrive({ type: "chunk", bytes: toBytes(data) });
  }

  /** The peer ends its sending side after everything that it sent; the end is read at once, as with `deliver`. */
  eof(): void {
    this.arriveEof();
    this.#readArrivals();
  }

  /** The peer ends its sending side; the clock's next poll reads the end, as with `arrive`. */
  arriveEof(): void {
    this.#arrive({ type: "eof" });
  }

  /** Reading or writing fails, at once and even while reading is paused. */
  fail(code = "ECONNRESET"): void {
    if (this.#isDestroyed) return;
    this.#failure = Object.assign(new Error(`read ${code}`), { code });
    // A real socket is destroyed before it reports its error.
    this.destroy();
  }

  /**
   * The kernel accepts this many more of the buffered bytes; by default all, which restores its full
   * capacity.
   */
  drain(bytes = Infinity): void {
    const wasBlocked = this.bufferedAmount > 0;
    this.#sendBuffer.drain(bytes);
    if (wasBlocked && !this.isBlocked) this.#handler?.onDrain();
    this.#closeOnceBothEnded();
  }

  /** Sets how many more bytes the kernel accepts before the peer has to read; 0 blocks the next write. */
  setCapacity(bytes: number): void {
    this.#sendBuffer.setCapacity(bytes);
  }

  // For the test to inspect.

  /** Everything passed to `write` so far. */
  get written(): Uint8Array<ArrayBuffer> {
    return concatBytes(this.#writes);
  }

  /** The bytes of each call of `write`. */
  get writes(): readonly Uint8Array<ArrayBuffer>[] {
    return this.#writes;
  }

  /** Returns the bytes written since the last call, and empties `written` and `writes`. */
  takeWritten(): Uint8Array<ArrayBuffer> {
    const written = this.written;
    this.#writes = [];
    return written;
  }

  /**
   * The bytes that the kernel accepted, read from the writer's memory at that moment, as a real kernel would.
   */
  get taken(): Uint8Array<ArrayBuffer> {
    return this.#sendBuffer.taken;
  }

  /** Drops the record of what was written and accepted, for tests that measure memory. */
  forgetWritten(): void {
    this.#writes = [];
    this.#sendBuffer.forgetTaken();
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Whether `end` was called. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  get isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  /** Whether `onClosed` was called. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  #arrive(arrival: Arrival): void {
    if (this.#isDestroyed) return;
    this.#arrivals.push(arrival);
    this.#atPoll(() => {
      this.#readArrivals();
    });
  }

  #readArrivals(): void {
    // Bytes delivered from within onChunk wait for the next round of this loop.
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (this.#handler !== null && !this.#isPaused) {
        const arrival = this.#arrivals.shift();
        if (arrival === undefined) return;
        if (arrival.type === "chunk") this.#handler.onChunk(arrival.bytes);
        else this.#deliverEof(this.#handler);
      }
    } finally {
      this.#isReading = false;
    }
  }

  #deliverEof(handler: ByteStreamHandler): void {
    this.#isEofDelivered = true;
    handler.onEof();
    this.#closeOnceBothEnded();
  }

  #closeOnceBothEnded(): void {
    if (this.#isEofDelivered && this.#isEnded && !this.isBlocked) this.destroy();
  }

  #announceEnd(): void {
    if (this.#failure !== null) this.#handler?.onError(this.#failure);
    this.#failure = null;
    this.#atTurnEnd(() => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      this.#handler?.onClosed();
    });
  }

  #atPoll(callback: () => void): void {
    if (this.#clock === null) queueMicrotask(callback);
    else this.#clock.atPoll(callback);
  }

  #atTurnEnd(callback: () => void): void {
    if (this.#clock === null) queueMicrotask(callback);
    else this.#clock.atTurnEnd(callback);
  }
}
