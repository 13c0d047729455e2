// When a connection stops reading, and when it goes on: once all that it stopped for is out of the way.

import type { Keepalive } from "./keepalive.js";
import type { MessageTransport } from "./message-transport.js";

/** Unread messages, unread pieces of a message, a message that is still being decoded, or a peer that sends too fast. */
export type PauseReason = "decoding" | "inbox" | "rate" | "stream";

export class ReadPause {
  readonly #wire: MessageTransport;
  readonly #pulse: Keepalive;
  readonly #obstacles = new Set<PauseReason>();

  constructor(wire: MessageTransport, pulse: Keepalive) {
    this.#wire = wire;
    this.#pulse = pulse;
  }

  pause(obstacle: PauseReason): void {
    this.#obstacles.add(obstacle);
    if (this.#wire.pause()) this.#pulse.pauseReading();
  }

  isPausedBy(obstacle: PauseReason): boolean {
    return this.#obstacles.has(obstacle);
  }

  /** Changes nothing where reading had not stopped for it. */
  resume(obstacle: PauseReason): void {
    if (!this.#obstacles.delete(obstacle) || this.#obstacles.size > 0) return;
    this.#wire.resume();
    // What the wire had held back may have been too much at once.
    if (this.#obstacles.size === 0) this.#pulse.resumeReading();
  }
}
