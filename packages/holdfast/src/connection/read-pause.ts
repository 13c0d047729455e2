// Pauses reading while there is any reason for it, and resumes when the last one is gone.

import type { Keepalive } from "./keepalive.js";
import type { MessageTransport } from "./message-transport.js";

/**
 * Too many unread messages, or of topics, too many unread pieces of one, a message in decoding, a peer that exceeds a rate
 * limit, or a session that is being looked up.
 */
export type PauseReason = "decoding" | "inbox" | "rate" | "session" | "stream" | "topics";

export class ReadPause {
  readonly #transport: MessageTransport;
  readonly #keepalive: Keepalive;
  readonly #reasons = new Set<PauseReason>();

  constructor(transport: MessageTransport, keepalive: Keepalive) {
    this.#transport = transport;
    this.#keepalive = keepalive;
  }

  pause(reason: PauseReason): void {
    this.#reasons.add(reason);
    if (this.#transport.pause()) this.#keepalive.pauseReading();
  }

  isPausedBy(reason: PauseReason): boolean {
    return this.#reasons.has(reason);
  }

  /** Does nothing if reading was not paused for this reason. */
  resume(reason: PauseReason): void {
    if (!this.#reasons.delete(reason) || this.#reasons.size > 0) return;
    this.#transport.resume();
    // Messages that the transport had held back may have paused reading again.
    if (this.#reasons.size === 0) this.#keepalive.resumeReading();
  }
}
