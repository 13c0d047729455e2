// The table of pings that wait for their pong, oldest first.

export interface Ping {
  readonly payload: string;
  /** Ours, for keepalive; the application's own pings are measured but never judged. */
  readonly isKeepalive: boolean;
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

export class PingsInFlight {
  /** A map keeps the order of insertion, so that the first is the oldest. */
  readonly #pings = new Map<string, Ping>();

  get size(): number {
    return this.#pings.size;
  }

  has(payload: string): boolean {
    return this.#pings.has(payload);
  }

  get(payload: string): Ping | undefined {
    return this.#pings.get(payload);
  }

  add(ping: Ping): void {
    this.#pings.set(ping.payload, ping);
  }

  remove(payload: string): boolean {
    return this.#pings.delete(payload);
  }

  [Symbol.iterator](): Iterator<Ping> {
    return this.#pings.values();
  }

  oldest(): Ping | null {
    for (const ping of this.#pings.values()) return ping;
    return null;
  }

  /** Removes and returns the ping of this payload and every older one, oldest first; none where it is unknown. */
  takeUpTo(payload: string): readonly Ping[] {
    if (!this.#pings.has(payload)) return [];
    const taken: Ping[] = [];
    for (const ping of this.#pings.values()) {
      taken.push(ping);
      this.#pings.delete(ping.payload);
      if (ping.payload === payload) break;
    }
    return taken;
  }

  clear(): void {
    this.#pings.clear();
  }
}
