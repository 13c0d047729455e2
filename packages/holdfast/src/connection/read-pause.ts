// Pauses reading while there is any reason for it, and resumes when the last one is gone.

import type { Keepalive } from "./keepalive.js";
import type { MessageTransport } from "./message-transport.js";

/**
 * The inbox is full, a message is being decoded, the stream of one message is full, the peer exceeds a rate limit, a
 * session is being looked up, or too many messages of topics are unread.
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
