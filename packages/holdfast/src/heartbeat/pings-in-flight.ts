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
   * A map keeps the order of insertion, so that the first is the oldest. Null while none is in flight, which for
   * an idle connection is nearly always.
   */
  #pings: Map<string, Ping> | null = null;

  get size(): number {
    return this.#pings?.size ?? 0;
  }

  has(payload: string): boolean {
    return this.#pings?.has(payload) === true;
  }

  get(payload: string): Ping | undefined {
    return this.#pings?.get(payload);
  }

  add(ping: Ping): void {
    this.#pings ??= new Map();
    this.#pings.set(ping.payload, ping);
  }

  remove(payload: string): boolean {
    if (this.#pings?.delete(payload) !== true) return false;
    if (this.#pings.size === 0) this.#pings = null;
    return true;
  }

  /** Oldest first. */
  [Symbol.iterator](): Iterator<Ping> {
    return (this.#pings?.values() ?? NONE)[Symbol.iterator]();
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
