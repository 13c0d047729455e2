// The sessions without a socket, in the order in which the memory drops them: those that never carried a message first,
// since a peer that opens and drops connections leaves them behind, and of each kind the longest-detached one first.

import type { MemoryMeter } from "../../session/session-memory.js";
import type { ServerSessionTransport } from "../../transport/session/server-session-transport.js";

/** Bytes that a detached session takes beside its messages: its connections, and its handler: measured with one forEach(). */
export const DETACHED_COST = 8192;

export class DetachedSessions {
  readonly #meter: MemoryMeter;
  readonly #empty = new Set<ServerSessionTransport>();
  readonly #others = new Set<ServerSessionTransport>();

  constructor(meter: MemoryMeter) {
    this.#meter = meter;
  }

  get size(): number {
    return this.#empty.size + this.#others.size;
  }

  add(transport: ServerSessionTransport): void {
    (transport.machine.hasMessages ? this.#others : this.#empty).add(transport);
    this.#meter.used += DETACHED_COST;
  }

  delete(transport: ServerSessionTransport): void {
    if (this.#empty.delete(transport) || this.#others.delete(transport)) this.#meter.used -= DETACHED_COST;
  }

  /** The session to drop next; null if there is none. */
  next(): ServerSessionTransport | null {
    for (const transport of this.#empty) return transport;
    for (const transport of this.#others) return transport;
    return null;
  }
}
