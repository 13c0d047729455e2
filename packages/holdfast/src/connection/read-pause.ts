// Pauses reading while there is any reason for it, and resumes when the last one is gone.

import type { Keepalive } from "./keepalive.js";
import type { MessageTransport } from "./message-transport.js";

/**
 * The inbox is full, a message is being decoded, the stream of one message is full, the peer exceeds a rate limit, a
 * session is being looked up, or too many messages of topics are unread.
 */
export type PauseReason = "decoding" | "inbox" | "rate" | "session" | "stream" | "topics";

/** A bit for each: a set would cost every connection that was paused once 170 bytes. */
const BITS: Readonly<Record<PauseReason, number>> = {
  decoding: 1,
  inbox: 2,
  rate: 4,
  session: 8,
  stream: 16,
  topics: 32,
};

const ALL = Object.keys(BITS) as PauseReason[]; // The record has exactly these keys.

export class ReadPause {
  readonly #transport: MessageTransport;
  readonly #keepalive: Keepalive;
  /** Bits. */
  #reasons = 0;

  constructor(transport: MessageTransport, keepalive: Keepalive) {
    this.#transport = transport;
    this.#keepalive = keepalive;
  }

  pause(reason: PauseReason): void {
    this.#reasons |= BITS[reason];
    if (this.#transport.pause()) this.#keepalive.pauseReading();
  }

  /** The reasons that hold now, for display. */
  get reasons(): readonly PauseReason[] {
    return ALL.filter((reason) => this.isPausedBy(reason));
  }

  isPausedBy(reason: PauseReason): boolean {
    return (this.#reasons & BITS[reason]) !== 0;
  }

  /** Does nothing if reading was not paused for this reason. */
  resume(reason: PauseReason): void {
    if (!this.isPausedBy(reason)) return;
    this.#reasons &= ~BITS[reason];
    if (this.#isPaused()) return;
    this.#transport.resume();
    // Messages that the transport had held back may have paused reading again.
    if (!this.#isPaused()) this.#keepalive.resumeReading();
  }

  #isPaused(): boolean {
    return this.#reasons !== 0;
  }
}
