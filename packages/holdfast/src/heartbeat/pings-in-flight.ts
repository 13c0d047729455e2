// The pings that wait for their pong, oldest first.

export interface Ping {
  readonly payload: string;
  /** A keepalive ping, which can lead to a verdict. An application's ping can only expire. */
  readonly isKeepalive: boolean;
  /** How many milliseconds it may stay unanswered; null if it is not judged. */
  readonly timeout: number | null;
  readonly queuedAt: number;
  /** When it was handed to the socket; null while it waits in the outbox. */
  sentAt: number | null;
  /** When it counts as unanswered; null if it is not judged. */
  deadline: number | null;
  /** When it becomes overdue; null once that was reported. */
  overdueAt: number | null;
  /** Our own process delayed its pong, so its round trip says nothing about the network. */
  isDisturbed: boolean;
}

const NONE: readonly Ping[] = [];

export class PingsInFlight implements Iterable<Ping> {
  /**
   * The ping itself if there is only one, as on most connections; a map for more. The map keeps the order of insertion,
   * so the first entry is the oldest. It is never empty.
   */
  #pings: Ping | Map<string, Ping> | null = null;

  get size(): number {
    const pings = this.#pings;
    return pings === null ? 0 : pings instanceof Map ? pings.size : 1;
  }

  has(payload: string): boolean {
    return this.get(payload) !== undefined;
  }

  get(payload: string): Ping | undefined {
    const pings = this.#pings;
    if (pings instanceof Map) return pings.get(payload);
    return pings?.payload === payload ? pings : undefined;
  }

  /** The ping in flight if there is exactly one; otherwise null. */
  get only(): Ping | null {
    return this.#pings instanceof Map ? null : this.#pings;
  }

  add(ping: Ping): void {
    const pings = this.#pings;
    if (pings === null) this.#pings = ping;
    else if (pings instanceof Map) pings.set(ping.payload, ping);
    else this.#pings = new Map([pings, ping].map((each) => [each.payload, each]));
  }

  remove(payload: string): boolean {
    const pings = this.#pings;
    if (pings instanceof Map) {
      if (!pings.delete(payload)) return false;
      if (pings.size === 0) this.#pings = null;
      return true;
    }
    if (pings?.payload !== payload) return false;
    this.#pings = null;
    return true;
  }

  /** Oldest first. */
  [Symbol.iterator](): Iterator<Ping> {
    const pings = this.#pings;
    const list = pings === null ? NONE : pings instanceof Map ? pings.values() : [pings];
    return list[Symbol.iterator]();
  }

  oldest(): Ping | null {
    for (const ping of this) return ping;
    return null;
  }

  /** Removes and returns the ping with this payload and all older ones, oldest first; none if the payload is unknown. */
  takeUpTo(payload: string): readonly Ping[] {
    if (!this.has(payload)) return NONE;
    const taken: Ping[] = [];
    for (const ping of this) {
      taken.push(ping);
      this.remove(ping.payload);
      if (ping.payload === payload) break;
    }
    return taken;
  }

  clear(): void {
    this.#pings = null;
  }
}
