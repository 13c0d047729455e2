// Presence: the members of each topic, over all processes. Members belong to the lease of their process in a partition.

import type { Member, PresenceListener, PresenceSnapshot, PresenceStore } from "holdfast/topics";
import type { Reply } from "../client/connection.js";
import type { Commands } from "../routing/commands.js";
import { before, CALL_TIMEOUT, deadlineFromNow } from "../routing/deadline.js";
import { noReply } from "../routing/failures.js";
import type { Partitions } from "../routing/partitions.js";
import { JOIN, LEAVE, LIST, presenceKeys } from "../scripts/presence.js";
import type { Subscriptions } from "../topics/subscriptions.js";
import { Leases, type LeasedPartition } from "./leases.js";
import { Watchers } from "./watchers.js";

export class RedisPresence implements PresenceStore {
  readonly #node: string;
  readonly #commands: Commands;
  readonly #partitions: Partitions;
  readonly #newEpoch: () => string;
  readonly #leases: Leases;
  readonly #watchers: Watchers;
  /** Members whose last write may have failed, so that Redis may differ from this process: [topic, id]. */
  readonly #doubtful = new Map<string, readonly [string, string]>();

  constructor(
    node: string,
    commands: Commands,
    partitions: Partitions,
    subscriptions: Subscriptions,
    newEpoch: () => string,
  ) {
    this.#node = node;
    this.#commands = commands;
    this.#partitions = partitions;
    this.#newEpoch = newEpoch;
    this.#watchers = new Watchers(commands, partitions, subscriptions, newEpoch);
    this.#leases = new Leases(node, commands, newEpoch, (partition) => this.#rejoin(partition));
  }

  async join(topic: string, member: Member): Promise<void> {
    const leased = this.#leases.in(this.#partitions.of(topic));
    const json = JSON.stringify({ id: member.id, data: member.data ?? null });
    try {
      await before(deadlineFromNow(CALL_TIMEOUT), this.#add(leased, topic, member.id, json), () =>
        noReply(null),
      );
    } catch (error) {
      this.#doubtful.set(keyOf(topic, member.id), [topic, member.id]);
      throw error;
    }
    leased.membersOf(topic).set(member.id, json);
    this.#doubtful.delete(keyOf(topic, member.id));
  }

  async leave(topic: string, id: string): Promise<void> {
    const leased = this.#leases.in(this.#partitions.of(topic));
    leased.remove(topic, id);
    const { prefix, slot } = leased.partition;
    try {
      await this.#commands.run(LEAVE, slot, presenceKeys(prefix), [
        prefix,
        this.#newEpoch(),
        this.#node,
        topic,
        id,
      ]);
      this.#doubtful.delete(keyOf(topic, id));
    } catch (error) {
      this.#doubtful.set(keyOf(topic, id), [topic, id]);
      throw error;
    }
    // It has joined again meanwhile, and Redis may have executed that first.
    if (leased.has(topic, id)) this.#doubtful.set(keyOf(topic, id), [topic, id]);
  }

  async list(topic: string, deadline = deadlineFromNow()): Promise<PresenceSnapshot> {
    const { prefix, slot } = this.#partitions.of(topic);
    const args = [prefix, this.#newEpoch(), topic];
    const { reply } = await this.#commands.run(LIST, slot, presenceKeys(prefix), args, deadline);
    const [epoch, offset, members] = reply as readonly [Buffer, number, readonly Reply[]];
    const version = { epoch: epoch.toString(), offset };
    this.#watchers.onVersion(topic, version);
    return { version, members: members.map((json) => JSON.parse(String(json)) as Member) };
  }

  async watch(topic: string, onChange: PresenceListener): Promise<PresenceSnapshot> {
    const leased = this.#leases.in(this.#partitions.of(topic));
    const deadline = deadlineFromNow();
    leased.watches++;
    try {
      await this.#watchers.add(topic, onChange, deadline);
      return await this.list(topic, deadline);
    } catch (error) {
      this.unwatch(topic, onChange);
      throw error;
    }
  }

  unwatch(topic: string, onChange: PresenceListener): void {
    if (this.#watchers.remove(topic, onChange)) this.#leases.in(this.#partitions.of(topic)).watches--;
  }

  /** Every second. */
  tick(): void {
    this.#leases.tick();
    for (const [topic, id] of this.#doubtful.values()) void this.#repeat(topic, id).catch(() => {});
  }

  /** Every 30 s. */
  check(): void {
    this.#watchers.check();
  }

  /** Removes all members of this process. */
  async close(): Promise<void> {
    await this.#leases.end();
  }

  /** Repeats the join or leave, according to this process. */
  async #repeat(topic: string, id: string): Promise<void> {
    const leased = this.#leases.in(this.#partitions.of(topic));
    const json = leased.members.get(topic)?.get(id);
    if (json === undefined) await this.leave(topic, id);
    else if (await this.#join(leased, topic, id, json, true)) this.#doubtful.delete(keyOf(topic, id));
    // Otherwise the lease has ended, and all members join again with the next one.
  }

  async #add(leased: LeasedPartition, topic: string, id: string, json: string): Promise<void> {
    if (await this.#join(leased, topic, id, json, false)) return;
    await this.#leases.begin(leased);
    await this.#join(leased, topic, id, json, false);
  }

  /** Whether the lease was still there. */
  async #join(
    leased: LeasedPartition,
    topic: string,
    id: string,
    json: string,
    isAgain: boolean,
  ): Promise<boolean> {
    const { prefix, slot } = leased.partition;
    const begins = leased.hasBegun ? "0" : "1";
    const args = [prefix, this.#newEpoch(), leased.lease, begins, topic, id, json, isAgain ? "1" : "0"];
    const { reply } = await this.#commands.run(JOIN, slot, presenceKeys(prefix), args);
    if (reply !== 1) return false;
    leased.onHeld();
    return true;
  }

  async #rejoin(leased: LeasedPartition): Promise<void> {
    for (const [topic, members] of leased.members) {
      for (const [id, json] of members) await this.#join(leased, topic, id, json, true);
    }
  }
}

function keyOf(topic: string, id: string): string {
  return `${topic.length}:${topic}:${id}`;
}
