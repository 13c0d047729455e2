// Control frames that wait for the next write, in which they precede all messages (RFC 6455 section 5.4), and the
// Close, which is the last frame. A connection has a queue only while it holds something.

import type { Protocol } from "../../protocol/protocol.js";
import { FIN, PING } from "../../shared/opcode.js";

/** The number of pings that may wait for a blocked socket. */
const MAX_WAITING_PINGS = 128;

export interface WaitingPing {
  readonly key: string;
  readonly payload: Uint8Array;
}

/** The empty list that queues without pings share. Never changed. */
const NO_PINGS: WaitingPing[] = [];

export class ControlQueue {
  /** A server's answer to the upgrade, sent before everything else. */
  #preface: Uint8Array | null;
  #pings = NO_PINGS;
  #pong: Uint8Array | null = null;
  #close: Uint8Array | null = null;

  constructor(preface: Uint8Array | null = null) {
    this.#preface = preface;
  }

  /** The length in bytes of the answer to the upgrade. */
  get prefaceLength(): number {
    return this.#preface?.length ?? 0;
  }

  /** In the order of sending. */
  get pings(): readonly WaitingPing[] {
    return this.#pings;
  }

  get hasClose(): boolean {
    return this.#close !== null;
  }

  /**
   * @param isBlocked the newest ping answers for the older ones (section 5.5.3), so a blocked socket needs only a few
   */
  addPing(ping: WaitingPing, isBlocked: boolean): void {
    if (this.#pings === NO_PINGS)
      this.#pings = [ping]; // An array that grows allocates seventeen slots.
    else this.#pings.push(ping);
    if (isBlocked && this.#pings.length > MAX_WAITING_PINGS)
      this.#pings = this.#pings.slice(-MAX_WAITING_PINGS);
  }

  removePing(key: string): void {
    this.#pings = this.#pings.filter((ping) => ping.key !== key);
  }

  /** The only Pong that waits: section 5.5.3 requires an answer only to the latest Ping. */
  setPong(frame: Uint8Array): void {
    this.#pong = frame;
  }

  /** No Ping follows a Close. */
  setClose(frame: Uint8Array): void {
    this.#close = frame;
    this.#pings = NO_PINGS;
  }

  /** Takes all but the Close. */
  take(protocol: Protocol): Uint8Array[] {
    const chunks = this.#preface === null ? [] : [this.#preface];
    for (const ping of this.#pings) chunks.push(protocol.frame(FIN | PING, ping.payload));
    if (this.#pong !== null) chunks.push(this.#pong);
    this.#preface = null;
    this.#pings = NO_PINGS;
    this.#pong = null;
    return chunks;
  }

  takeClose(): Uint8Array | null {
    const close = this.#close;
    this.#close = null;
    return close;
  }
}
