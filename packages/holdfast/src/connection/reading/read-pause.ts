// Pauses reading while there is any reason for it, and resumes when the last one is gone. Made on demand: most
// connections never pause.

import type { ConnectionCore } from "../connection-core.js";

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

/** The reasons that no longer hold once the connection is closing. */
const OPEN_PAUSES = ["stream", "rate", "session", "topics"] as const;

export class ReadPause {
  readonly #core: ConnectionCore;
  /** Bits. */
  #reasons = 0;
  /** When the inbox became full; null while it is not. */
  #fullSince: number | null = null;
  #wasFull = false;
  /** Calls of the transport's `resume()` that are under way: it delivers messages that it held back. */
  #resuming = 0;
  #isOver = false;

  constructor(core: ConnectionCore) {
    this.#core = core;
  }

  pause(reason: PauseReason): void {
    if (this.#isOver && reason !== "decoding") return;
    this.#reasons |= BITS[reason];
    if (this.#core.transport.pause()) this.#core.keepalive.pauseReading();
    if (reason !== "inbox" || this.#fullSince !== null) return; // Messages held back may fill the inbox again.
    this.#fullSince = this.#core.now();
    this.#core.onPaused();
  }

  /** Does nothing if reading was not paused for this reason. */
  resume(reason: PauseReason): void {
    this.#remove(reason);
    if (reason !== "inbox" || this.#fullSince === null || this.#isPausedBy("inbox")) return;
    const duration = this.#core.now() - this.#fullSince;
    this.#fullSince = null;
    this.#core.onResumed(duration);
  }

  /** Reading continues, but still counts as paused, since messages wait that nobody takes. */
  stretch(): void {
    this.#remove("inbox");
  }

  /** Whether nothing would be lost with this object. */
  get isIdle(): boolean {
    return this.#reasons === 0 && !this.wasFull && this.#resuming === 0 && !this.#isOver;
  }

  /** The reasons that hold now, for display. */
  get reasons(): readonly PauseReason[] {
    return ALL.filter((reason) => this.#isPausedBy(reason));
  }

  /** Whether messages waited for the application when the connection ended, or wait for it now. */
  get wasFull(): boolean {
    return this.#wasFull || this.#fullSince !== null;
  }

  /** The closing handshake begins: only a full inbox still pauses reading, and a message that is being decoded. */
  beginClosing(): void {
    this.#wasFull ||= this.#fullSince !== null;
    for (const reason of OPEN_PAUSES) this.resume(reason);
  }

  /** The connection is ending: never pauses again, except for a message that is being decoded. */
  end(): void {
    this.#isOver = true;
    this.beginClosing();
    this.resume("inbox");
  }

  #remove(reason: PauseReason): void {
    if (!this.#isPausedBy(reason)) return;
    this.#reasons &= ~BITS[reason];
    if (this.#reasons !== 0) return;
    this.#resuming++;
    this.#core.transport.resume();
    this.#resuming--;
    // Messages that the transport had held back may have paused reading again.
    if ((this.#reasons as number) === 0) this.#core.keepalive.resumeReading();
  }

  #isPausedBy(reason: PauseReason): boolean {
    return (this.#reasons & BITS[reason]) !== 0;
  }
}
