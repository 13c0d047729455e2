// Two byte streams in memory, each the other's peer: what one writes, the other reads in a later turn of the clock.

import type { Address, ByteStream, ByteStreamHandler, Clock } from "../connection/ports.js";

/** Bytes that the peer has not read before `isBlocked`, as the buffers of two kernels would hold. */
const CAPACITY = 256 * 1024;

/** A clock that can deliver data within the next poll, before the callbacks that follow the poll. */
type PollingClock = Clock & { readonly atPoll?: (callback: () => void) => void };

export class MemoryStream implements ByteStream {
  readonly remoteAddress: Address | null = null;
  readonly localAddress: Address | null = null;
  readonly #clock: PollingClock;
  #peer: MemoryStream | null = null;
  #handler: ByteStreamHandler | null = null;
  /** Bytes that the peer has written and this end has not read. */
  #arrived: Uint8Array[] = [];
  #arrivedBytes = 0;
  /** Whether the peer waits for room. */
  #isFull = false;
  #isPaused = false;
  #isScheduled = false;
  #hasEnded = false;
  #peerHasEnded = false;
  #isEofDelivered = false;
  #isDestroyed = false;

  private constructor(clock: Clock) {
    this.#clock = clock;
  }

  static pair(clock: Clock): readonly [MemoryStream, MemoryStream] {
    const [one, other] = [new MemoryStream(clock), new MemoryStream(clock)];
    one.#peer = other;
    other.#peer = one;
    return [one, other];
  }

  get bufferedAmount(): number {
    const peer = this.#peer;
    return peer === null ? 0 : Math.max(0, peer.#arrivedBytes - CAPACITY);
  }

  get isBlocked(): boolean {
    return this.bufferedAmount > 0;
  }

  start(handler: ByteStreamHandler): void {
    this.#handler = handler;
    this.#schedule();
  }

  /** Copies the chunks. */
  write(chunks: readonly Uint8Array[]): boolean {
    const peer = this.#peer;
    if (peer === null || peer.#isDestroyed || this.#hasEnded) return true;
    for (const chunk of chunks) {
      peer.#arrived.push(Uint8Array.from(chunk));
      peer.#arrivedBytes += chunk.length;
    }
    peer.#isFull = this.isBlocked;
    peer.#schedule();
    return !peer.#isFull;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#schedule();
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (this.#peer !== null) {
      this.#peer.#peerHasEnded = true;
      this.#peer.#schedule();
    }
    this.#closeOnceBothEnded();
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#arrived = [];
    this.#arrivedBytes = 0;
    this.end();
    this.#clock.afterPoll(() => this.#handler?.onClosed());
  }

  #schedule(): void {
    if (this.#isScheduled || this.#handler === null || this.#isDestroyed) return;
    this.#isScheduled = true;
    const deliver = (): void => {
      this.#isScheduled = false;
      this.#deliver();
    };
    if (this.#clock.atPoll === undefined) this.#clock.afterPoll(deliver);
    else this.#clock.atPoll(deliver);
  }

  #deliver(): void {
    while (!this.#isPaused && !this.#isDestroyed) {
      const chunk = this.#arrived.shift();
      if (chunk === undefined) break;
      this.#arrivedBytes -= chunk.length;
      this.#handler?.onChunk(chunk);
      this.#notifyOfRoom();
    }
    if (!this.#peerHasEnded || this.#isEofDelivered || this.#arrived.length > 0 || this.#isDestroyed) return;
    this.#isEofDelivered = true;
    this.#handler?.onEof();
    this.#closeOnceBothEnded();
  }

  #notifyOfRoom(): void {
    if (!this.#isFull || this.#arrivedBytes > CAPACITY) return;
    this.#isFull = false;
    this.#peer?.onRoom();
  }

  /** The peer has read. */
  onRoom(): void {
    this.#handler?.onDrain();
  }

  #closeOnceBothEnded(): void {
    if (this.#hasEnded && this.#isEofDelivered) this.destroy();
  }
}
