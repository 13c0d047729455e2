// The limit of unconfirmed messages in one direction. It grows with the measured round trip to twice what the link
// carries in one, so that waiting for acks never limits a healthy link.

import type { SessionWindow } from "./wire.js";

/** The window may grow to this multiple of the configured one. */
const MAX_GROWTH = 64;

/** Milliseconds. Below this round trip the smallest useful window does not limit a link, and clocks are too coarse. */
const MIN_ROUND_TRIP = 1;

export class SendWindow {
  readonly #configured: SessionWindow;
  #messages: number;
  #bytes: number;
  /** The round trip that is being measured: it ends when `#target` is confirmed. Zero for none. */
  #target = 0;
  #startedAt = 0;
  #startPosition = 0;
  #startBytes = 0;
  /** The shortest round on this link, in milliseconds. Longer ones waited in queues, which a larger window would fill. */
  #shortest = Infinity;
  /** Bytes confirmed so far. */
  #confirmedBytes = 0;

  constructor(configured: SessionWindow) {
    this.#configured = configured;
    this.#messages = configured.messages;
    this.#bytes = configured.bytes;
  }

  get messages(): number {
    return this.#messages;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The next link may be a different one. */
  restart(): void {
    this.#target = 0;
    this.#shortest = Infinity;
  }

  /** Positions up to `acked` are confirmed, `bytes` of them since the last call; `sent` is on its way. */
  onAck(now: number, acked: number, sent: number, bytes: number): void {
    this.#confirmedBytes += bytes;
    if (this.#target !== 0) {
      if (acked < this.#target) return;
      this.#endRound(now, acked);
    }
    this.#target = sent + 1; // Its ack takes a whole round trip from now; acks of earlier messages arrive sooner.
    this.#startedAt = now;
    this.#startPosition = acked;
    this.#startBytes = this.#confirmedBytes;
  }

  #endRound(now: number, acked: number): void {
    const elapsed = now - this.#startedAt;
    this.#shortest = Math.min(this.#shortest, elapsed);
    if (this.#shortest < MIN_ROUND_TRIP) return;
    // Twice the amount that the link carried in its shortest round trip.
    const share = (2 * this.#shortest) / elapsed;
    const messages = Math.round((acked - this.#startPosition) * share);
    const bytes = Math.round((this.#confirmedBytes - this.#startBytes) * share);
    this.#messages = Math.max(this.#messages, Math.min(messages, this.#configured.messages * MAX_GROWTH));
    this.#bytes = Math.max(this.#bytes, Math.min(bytes, this.#configured.bytes * MAX_GROWTH));
  }
}
