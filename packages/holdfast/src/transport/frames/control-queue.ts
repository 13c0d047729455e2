// Control frames that wait for the next write, in which they precede all messages (RFC 6455 section 5.4), and the
// Close, which is the last frame. A connection has a queue only while it holds something.

import type { Protocol } from "../../protocol/protocol.js";
import { FIN, PING } from "../../shared/opcode.js";

/** The number of pings that may wait for a blocked socket. */
const MAX_WAITING_PINGS = 128;

/** The empty map that queues without pings share. Never changed. */
const NO_PINGS: ReadonlyMap<string, Uint8Array> = new Map();

export class ControlQueue {
  /** A server's answer to the upgrade, sent before everything else. */
  #preface: Uint8Array | null;
  /** The payloads by key, in the order of sending. An application may send and abort thousands in one turn. */
  #pings: Map<string, Uint8Array> | null = null;
  #pong: Uint8Array | null = null;
  #close: Uint8Array | null = null;

  constructor(preface: Uint8Array | null = null) {
    this.#preface = preface;
  }

  /** The length in bytes of the answer to the upgrade. */
  get prefaceLength(): number {
    return this.#preface?.length ?? 0;
  }

  /** The pings by key, in the order of sending. They stay the same after `take`. */
  get pings(): ReadonlyMap<string, Uint8Array> {
    return this.#pings ?? NO_PINGS;
  }

  get hasClose(): boolean {
    return this.#close !== null;
  }

  /**
   * @param isBlocked the newest ping answers for the older ones (section 5.5.3), so a blocked socket needs only a few
   */
  addPing(key: string, payload: Uint8Array, isBlocked: boolean): void {
    this.#pings ??= new Map();
    this.#pings.set(key, payload);
    if (!isBlocked) return;
    for (const oldest of this.#pings.keys()) {
      if (this.#pings.size <= MAX_WAITING_PINGS) return;
      this.#pings.delete(oldest);
    }
  }

  removePing(key: string): void {
    this.#pings?.delete(key);
  }

  /** The only Pong that waits: section 5.5.3 requires an answer only to the latest Ping. */
  setPong(frame: Uint8Array): void {
    this.#pong = frame;
  }

  /** No Ping follows a Close. */
  setClose(frame: Uint8Array): void {
    this.#close = frame;
    this.#pings = null;
  }

  /** Takes all but the Close. */
  take(protocol: Protocol): Uint8Array[] {
    const chunks = this.#preface === null ? [] : [this.#preface];
    for (const payload of this.pings.values()) chunks.push(protocol.frame(FIN | PING, payload));
    if (this.#pong !== null) chunks.push(this.#pong);
    this.#preface = null;
    this.#pings = null;
    this.#pong = null;
    return chunks;
  }

  takeClose(): Uint8Array | null {
    const close = this.#close;
    this.#close = null;
    return close;
  }
}
