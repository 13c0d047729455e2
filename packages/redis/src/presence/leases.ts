// The leases of this process, one for each partition in which it has members. If a lease was not renewed in time, its
// members have been removed: they are added again under a new generation.

import type { Reply } from "../client/connection.js";
import type { Commands } from "../routing/commands.js";
import { deadlineFromNow } from "../routing/deadline.js";
import type { Partition } from "../routing/partitions.js";
import { presenceKeys, RENEW } from "../scripts/presence.js";

/** Milliseconds between two renewals. */
const RENEW_INTERVAL = 3_000;
/** Milliseconds between two searches for ended leases, at most. Leases last longer. */
const MAX_REAP_INTERVAL = 9_000;
/** Milliseconds over which processes spread their searches. */
const REAP_JITTER = 500;

export class LeasedPartition {
  readonly partition: Partition;
  readonly members = new Map<string, Map<string, string>>();
  readonly #node: string;
  #generation = 0;
  /** Whether this generation has a lease. */
  hasBegun = false;
  /** How many listeners watch topics of this partition. */
  watches = 0;
  renewedAt = -Infinity;
  reapAt = 0;
  isRenewing = false;
  isBeginning: Promise<void> | null = null;

  constructor(partition: Partition, node: string) {
    this.partition = partition;
    this.#node = node;
  }

  get lease(): string {
    return `${this.#node}:${this.#generation}`;
  }

  membersOf(topic: string): Map<string, string> {
    let members = this.members.get(topic);
    if (members === undefined) this.members.set(topic, (members = new Map<string, string>()));
    return members;
  }

  has(topic: string, id: string): boolean {
    return this.members.get(topic)?.has(id) === true;
  }

  remove(topic: string, id: string): void {
    const members = this.members.get(topic);
    if (members?.delete(id) === true && members.size === 0) this.members.delete(topic);
  }

  onHeld(): void {
    if (!this.hasBegun) this.renewedAt = performance.now();
    this.hasBegun = true;
  }

  beginGeneration(): void {
    this.#generation++;
    this.hasBegun = false;
  }
}

export class Leases {
  readonly #node: string;
  readonly #commands: Commands;
  readonly #newEpoch: () => string;
  readonly #rejoin: (leased: LeasedPartition) => Promise<void>;
  readonly #partitions = new Map<number, LeasedPartition>();

  constructor(
    node: string,
    commands: Commands,
    newEpoch: () => string,
    rejoin: (leased: LeasedPartition) => Promise<void>,
  ) {
    this.#node = node;
    this.#commands = commands;
    this.#newEpoch = newEpoch;
    this.#rejoin = rejoin;
  }

  in(partition: Partition): LeasedPartition {
    let leased = this.#partitions.get(partition.index);
    if (leased === undefined) {
      leased = new LeasedPartition(partition, this.#node);
      this.#partitions.set(partition.index, leased);
    }
    return leased;
  }

  tick(): void {
    const now = performance.now();
    for (const leased of this.#partitions.values()) {
      const { members, watches, renewedAt, reapAt, isRenewing } = leased;
      const mustRenew = members.size > 0 && now - renewedAt >= RENEW_INTERVAL;
      const mustReap = (members.size > 0 || watches > 0) && now >= reapAt;
      if (!isRenewing && (mustRenew || mustReap)) void this.#renew(leased);
    }
  }

  /** Starts another generation, and adds all members to it. */
  begin(leased: LeasedPartition): Promise<void> {
    leased.isBeginning ??= (async () => {
      leased.beginGeneration();
      await this.#rejoin(leased);
    })().finally(() => (leased.isBeginning = null));
    return leased.isBeginning;
  }

  async end(): Promise<void> {
    const held = [...this.#partitions.values()].filter(({ hasBegun }) => hasBegun);
    await Promise.allSettled(held.map((leased) => this.#run(leased, true)));
  }

  async #renew(leased: LeasedPartition): Promise<void> {
    leased.isRenewing = true;
    try {
      const startedAt = performance.now();
      const [isHeld, next] = await this.#run(leased, false);
      const wait = next < 0 ? MAX_REAP_INTERVAL : Math.min(next, MAX_REAP_INTERVAL);
      leased.reapAt = startedAt + wait + Math.random() * REAP_JITTER;
      if (isHeld) leased.renewedAt = startedAt;
      else if (leased.members.size > 0) await this.begin(leased);
    } catch {
      // The next tick tries again; nothing is lost until the lease ends.
    } finally {
      leased.isRenewing = false;
    }
  }

  async #run(leased: LeasedPartition, ends: boolean): Promise<readonly [isHeld: boolean, next: number]> {
    const { prefix, slot } = leased.partition;
    const lease = (ends || leased.members.size > 0) && leased.hasBegun ? leased.lease : "";
    const args = [prefix, this.#newEpoch(), lease, ends ? "1" : "0"];
    const { reply } = await this.#commands.run(RENEW, slot, presenceKeys(prefix), args, deadlineFromNow());
    const [isHeld, next] = reply as readonly Reply[];
    return [isHeld === 1, Number(next)];
  }
}
