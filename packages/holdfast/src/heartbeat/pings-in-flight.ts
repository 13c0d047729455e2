// The pings that wait for their pong, oldest first. An application may send tens of thousands itself, so finding,
// adding and removing one, and finding the next one that is late, never loops over the others.

import { DeadlineHeap, type HeapItem } from "../shared/deadline-heap.js";

export class Ping implements HeapItem {
  readonly payload: string;
  /** A keepalive ping, which can lead to a verdict. An application's ping can only expire. */
  readonly isKeepalive: boolean;
  readonly queuedAt: number;
  // Infinity stands for never: V8 updates a number in place, but allocates one for each change of a field that may be null.
  /** When it was handed to the socket; Infinity while it waits in the outbox. */
  sentAt = Infinity;
  /** How many milliseconds it may stay unanswered; Infinity if it is not judged. */
  timeout: number;
  /** When it counts as unanswered; Infinity if it is not judged. */
  deadline: number;
  /** When it becomes overdue; Infinity once that was reported. */
  overdueAt: number;
  /** Our own process delayed its pong, so its round trip says nothing about the network. */
  isDisturbed: boolean;
  /** The latest time to which received bytes may postpone its deadline. */
  latest = Infinity;
  /** Adaptive detection has set its deadline. */
  isAdaptive = false;
  /** Bytes that were sent before it, where adaptive detection counts them. */
  bytesBefore = 0;

  // Used by the table only.
  place = -1;
  number = 0;
  older: Ping | null = null;
  newer: Ping | null = null;

  constructor(
    payload: string,
    isKeepalive: boolean,
    timeout: number,
    queuedAt: number,
    overdueAt: number,
    isDisturbed: boolean,
  ) {
    this.payload = payload;
    this.isKeepalive = isKeepalive;
    this.timeout = timeout;
    this.queuedAt = queuedAt;
    this.deadline = queuedAt + timeout;
    this.overdueAt = overdueAt;
    this.isDisturbed = isDisturbed;
  }
}

/** Needed from the second ping on. Most connections never have more than one in flight. */
interface Indexes {
  readonly byPayload: Map<string, Ping>;
  /** Oldest first. */
  readonly keepalive: Set<Ping>;
  /** By the time at which each was last known to become late. Traffic may have made it later since. */
  readonly byLateness: DeadlineHeap<Ping>;
}

const NONE: readonly Ping[] = [];

export class PingsInFlight implements Iterable<Ping> {
  /**
   * When the newest byte was read, if received bytes count as life; otherwise -Infinity. It may only grow: it puts off the
   * deadlines of keepalive pings.
   */
  lastReceivedAt = -Infinity;
  #oldest: Ping | null = null;
  #newest: Ping | null = null;
  /** Made for the second ping in flight, and dropped when none is left. */
  #indexes: Indexes | null = null;

  get size(): number {
    return this.#indexes?.byPayload.size ?? (this.#oldest === null ? 0 : 1);
  }

  get oldest(): Ping | null {
    return this.#oldest;
  }

  /** Oldest first. Removing the ping that was just returned is safe. */
  *[Symbol.iterator](): Iterator<Ping> {
    for (let ping = this.#oldest; ping !== null; ping = ping.newer) yield ping;
  }

  /** Keepalive pings, oldest first. Removing pings meanwhile is safe. */
  get keepalive(): Iterable<Ping> {
    if (this.#indexes !== null) return this.#indexes.keepalive;
    return this.#oldest?.isKeepalive === true ? [this.#oldest] : NONE;
  }

  get oldestKeepalive(): Ping | null {
    if (this.#indexes === null) return this.#oldest?.isKeepalive === true ? this.#oldest : null;
    for (const ping of this.#indexes.keepalive) return ping;
    return null;
  }

  get keepaliveCount(): number {
    return this.#indexes?.keepalive.size ?? (this.#oldest?.isKeepalive === true ? 1 : 0);
  }

  /** When the first ping becomes overdue or reaches its deadline; Infinity for never. */
  get nextLateAt(): number {
    if (this.#indexes === null) return this.#oldest === null ? Infinity : this.#lateAt(this.#oldest);
    const { byLateness } = this.#indexes;
    for (;;) {
      const { first, firstAt } = byLateness;
      if (first === undefined) return Infinity;
      const lateAt = this.#lateAt(first);
      if (lateAt <= firstAt) return lateAt;
      byLateness.set(first, lateAt);
    }
  }

  has(payload: string): boolean {
    return this.get(payload) !== undefined;
  }

  get(payload: string): Ping | undefined {
    if (this.#indexes !== null) return this.#indexes.byPayload.get(payload);
    return this.#oldest?.payload === payload ? this.#oldest : undefined;
  }

  add(ping: Ping): void {
    const newest = this.#newest;
    this.#newest = ping;
    if (newest === null) {
      this.#oldest = ping;
      return;
    }
    newest.newer = ping;
    ping.older = newest;
    ping.number = newest.number + 1;
    if (this.#indexes === null) {
      this.#indexes = { byPayload: new Map(), keepalive: new Set(), byLateness: new DeadlineHeap() };
      this.#index(this.#indexes, newest);
    }
    this.#index(this.#indexes, ping);
  }

  remove(payload: string): boolean {
    const ping = this.get(payload);
    if (ping === undefined) return false;
    if (ping.older === null) this.#oldest = ping.newer;
    else ping.older.newer = ping.newer;
    if (ping.newer === null) this.#newest = ping.older;
    else ping.newer.older = ping.older;
    if (this.#indexes === null) return true;
    if (this.#oldest === null) {
      this.#indexes = null;
      return true;
    }
    this.#indexes.byPayload.delete(payload);
    this.#indexes.keepalive.delete(ping);
    this.#indexes.byLateness.remove(ping);
    return true;
  }

  /** Takes note that `deadline` or `overdueAt` has changed. */
  reschedule(ping: Ping): void {
    this.#indexes?.byLateness.set(ping, this.#lateAt(ping));
  }

  /** The pings that are late, oldest first. The caller removes each of them, or reschedules it. */
  takeLate(now: number): readonly Ping[] {
    if (this.#indexes === null) {
      return this.#oldest !== null && this.#lateAt(this.#oldest) <= now ? [this.#oldest] : NONE;
    }
    const { byLateness } = this.#indexes;
    const late: Ping[] = [];
    while (this.nextLateAt <= now && byLateness.first !== undefined) {
      late.push(byLateness.first);
      byLateness.remove(byLateness.first);
    }
    return late.sort((one, other) => one.number - other.number);
  }

  /** When the ping counts as unanswered; Infinity if it is not judged. */
  effectiveDeadline(ping: Ping): number {
    // A caller who sets a timeout for a ping waits for that pong; other traffic does not extend it.
    if (!ping.isKeepalive || ping.deadline === Infinity) return ping.deadline;
    return Math.max(ping.deadline, Math.min(this.lastReceivedAt + ping.timeout, ping.latest));
  }

  /** Removes and returns the ping with this payload and all older ones, oldest first; none if the payload is unknown. */
  takeUpTo(payload: string): readonly Ping[] {
    if (!this.has(payload)) return NONE;
    const taken: Ping[] = [];
    for (let ping = this.#oldest; ping !== null; ping = ping.payload === payload ? null : ping.newer) {
      taken.push(ping);
      this.remove(ping.payload);
    }
    return taken;
  }

  #index({ byPayload, keepalive, byLateness }: Indexes, ping: Ping): void {
    byPayload.set(ping.payload, ping);
    if (ping.isKeepalive) keepalive.add(ping);
    byLateness.set(ping, this.#lateAt(ping));
  }

  #lateAt(ping: Ping): number {
    return Math.min(ping.overdueAt, this.effectiveDeadline(ping));
  }
}
