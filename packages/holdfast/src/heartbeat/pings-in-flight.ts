// The table of pings that wait for their pong, oldest first.

export interface Ping {
  readonly payload: string;
  /** Ours, for keepalive: it can bring the verdict. The application's own can at most expire. */
  readonly isKeepalive: boolean;
  /** Milliseconds that it may stay unanswered; null where it is not judged. */
  readonly timeout: number | null;
  readonly queuedAt: number;
  /** When it was handed to the socket; null while it waits in the outbox. */
  sentAt: number | null;
  /** When it counts as unanswered; null where it is not judged. */
  deadline: number | null;
  /** When it becomes suspicious; null once that was told. */
  overdueAt: number | null;
  /** We ourselves stood in the way of its pong, so its time says nothing about the network. */
  isDisturbed: boolean;
}

const NONE: readonly Ping[] = [];

export class PingsInFlight implements Iterable<Ping> {
  /**
   * The only one, which is what an idle connection has at most; a map for more, which keeps the order of insertion, so
   * that the first is the oldest. Never an empty map.
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

  /** The only ping in flight; null for none, and for several. */
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

  /** Removes and returns the ping of this payload and every older one, oldest first; none where it is unknown. */
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
