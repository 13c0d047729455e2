// The lease of this process: a value that the server removes unless the process renews it in time. Members without a
// lease do not count.

import type { Bucket } from "../connection/bucket.js";

/** Milliseconds after which an unrenewed lease ends, and between two renewals. */
export const LEASE = 9_000;
const RENEW_INTERVAL = 3_000;

export class OwnLease {
  readonly #node: string;
  readonly #leases: Bucket;
  #generation = 0;
  /** The revision of the lease; null if there is none. */
  #revision: Promise<number> | null = null;
  #renewedAt = 0;

  constructor(node: string, leases: Bucket) {
    this.#node = node;
    this.#leases = leases;
  }

  get name(): string {
    return `${this.#node}.${this.#generation}`;
  }

  isDue(now: number): boolean {
    return now - this.#renewedAt >= RENEW_INTERVAL;
  }

  /** Begins a lease if there is none. */
  async begin(): Promise<void> {
    this.#revision ??= (async () => {
      this.#generation++;
      const startedAt = performance.now();
      const revision = await this.#leases.put(this.name, "", 0);
      this.#renewedAt = startedAt;
      return revision ?? 0; // Of this process alone.
    })();
    try {
      await this.#revision;
    } catch (error) {
      this.#revision = null;
      throw error;
    }
  }

  /** Returns false if the lease has ended, so that others may have removed the members; another one has begun then. */
  async renew(): Promise<boolean> {
    if (this.#revision !== null) {
      const startedAt = performance.now();
      const revision = await this.#leases.put(this.name, "", await this.#revision);
      if (revision !== null) {
        this.#revision = Promise.resolve(revision);
        this.#renewedAt = startedAt;
        return true;
      }
    }
    this.#revision = null;
    await this.begin();
    return false;
  }

  async end(): Promise<void> {
    if (this.#revision !== null) await this.#leases.delete(this.name);
  }
}
