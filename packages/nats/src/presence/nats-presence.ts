// Presence: the members of each topic, over all processes. Members belong to the lease of their process, a value that
// the server removes unless the process renews it. Members without a lease do not count.

import type { Subscription } from "@nats-io/transport-node";
import type {
  Member,
  PresenceChange,
  PresenceListener,
  PresenceSnapshot,
  PresenceStore,
} from "holdfast/topics";
import { Bucket } from "../connection/bucket.js";
import { before, CALL_TIMEOUT, deadlineFromNow } from "../connection/deadline.js";
import { noReply } from "../connection/failures.js";
import type { Link } from "../connection/link.js";
import { hashOf, type Names } from "../connection/names.js";
import type { CheckedOptions } from "../options.js";
import { LEASE, OwnLease } from "./own-lease.js";
import { MemberTables, type MemberTable, type MemberTablesHandler } from "./member-tables.js";

/** Milliseconds after which the server drops an unchanged table of members, and after which we write it again. */
const TABLE_LIFETIME = 86_400_000;
const TOUCH_INTERVAL = 21_600_000;

interface WatchedTopic {
  readonly listeners: Set<PresenceListener>;
  readonly subscription: Subscription;
  leases: readonly string[];
  version: string;
}

export class NatsPresence implements PresenceStore, MemberTablesHandler {
  readonly #node: string;
  readonly #link: Link;
  readonly #names: Names;
  readonly #leases: Bucket;
  readonly #lease: OwnLease;
  readonly #tables: MemberTables;
  readonly #own = new Map<string, Map<string, unknown>>();
  /** Members whose last write may have failed, so that the table may differ from this process: topic and id. */
  readonly #doubtful = new Map<string, readonly [string, string]>();
  readonly #watched = new Map<string, WatchedTopic>();
  #touchedAt = performance.now();
  #isRenewing = false;
  #isReaping = false;

  constructor(node: string, link: Link, names: Names, options: CheckedOptions) {
    this.#node = node;
    this.#link = link;
    this.#names = names;
    this.#leases = new Bucket(link, names.bucket("leases"), options, LEASE);
    this.#lease = new OwnLease(node, this.#leases);
    this.#tables = new MemberTables(
      link,
      new Bucket(link, names.bucket("members"), options, TABLE_LIFETIME),
      this,
    );
    link.onRestored(() => {
      for (const topic of this.#watched.keys()) this.#report(topic, null);
    });
  }

  async join(topic: string, member: Member): Promise<void> {
    const data: unknown = JSON.parse(JSON.stringify(member.data ?? null));
    try {
      await inTime(this.#add(topic, member.id, data));
    } catch (error) {
      this.#doubtful.set(keyOf(topic, member.id), [topic, member.id]);
      throw error;
    }
    let own = this.#own.get(topic);
    if (own === undefined) this.#own.set(topic, (own = new Map<string, unknown>()));
    own.set(member.id, data);
    this.#doubtful.delete(keyOf(topic, member.id));
  }

  async leave(topic: string, id: string): Promise<void> {
    const own = this.#own.get(topic);
    if (own?.delete(id) === true && own.size === 0) this.#own.delete(topic);
    try {
      await inTime(this.#tables.update(topic, (members) => this.#removeOwn(members, id)));
      this.#doubtful.delete(keyOf(topic, id));
    } catch (error) {
      this.#doubtful.set(keyOf(topic, id), [topic, id]);
      throw error;
    }
  }

  async list(topic: string): Promise<PresenceSnapshot> {
    const { version, members, leases } = await inTime(this.#tables.list(topic));
    const watched = this.#watched.get(topic);
    if (watched !== undefined) {
      watched.leases = leases;
      watched.version = keyOf(version.epoch, String(version.offset));
    }
    return { version, members };
  }

  async watch(topic: string, onChange: PresenceListener): Promise<PresenceSnapshot> {
    const deadline = deadlineFromNow();
    await this.#link.ready(deadline);
    let watched = this.#watched.get(topic);
    if (watched === undefined) {
      const subscription = this.#link.connection.subscribe(this.#names.changes(hashOf(topic)), {
        callback: (error, message) => {
          if (error === null) this.#onChange(topic, message.string());
        },
      });
      watched = { listeners: new Set(), subscription, leases: [], version: "" };
      this.#watched.set(topic, watched);
    }
    watched.listeners.add(onChange);
    try {
      await this.#link.flush(deadline);
      return await before(deadline, this.list(topic), noReply);
    } catch (error) {
      this.unwatch(topic, onChange);
      throw error;
    }
  }

  unwatch(topic: string, onChange: PresenceListener): void {
    const watched = this.#watched.get(topic);
    if (watched?.listeners.delete(onChange) !== true || watched.listeners.size > 0) return;
    this.#watched.delete(topic);
    if (!this.#link.connection.isClosed()) watched.subscription.unsubscribe();
  }

  /** Every second. */
  tick(): void {
    const now = performance.now();
    for (const [topic, id] of this.#doubtful.values()) void this.#repeat(topic, id).catch(() => {});
    if (this.#own.size > 0 && this.#lease.isDue(now) && !this.#isRenewing) void this.#renew();
    if (!this.#isReaping) void this.#reap();
    if (now - this.#touchedAt < TOUCH_INTERVAL) return;
    this.#touchedAt = now;
    void this.#rejoin().catch(() => {}); // A write that the lease of the table needs.
  }

  /** Call it every 30 s: the newest report may have been lost silently. */
  check(): void {
    for (const [topic, watched] of this.#watched) {
      const { version } = watched;
      this.list(topic).then(
        () => {
          if (watched.version !== version) this.#report(topic, null);
        },
        () => {}, // The next check comes.
      );
    }
  }

  /** Removes all members of this process. */
  async close(): Promise<void> {
    const topics = [...this.#own];
    this.#own.clear();
    await Promise.allSettled(
      topics.map(([topic, own]) =>
        this.#tables.update(topic, (members) => {
          for (const id of own.keys()) this.#removeOwn(members, id);
        }),
      ),
    );
    await this.#lease.end();
  }

  stop(): void {
    for (const [topic, { listeners }] of [...this.#watched]) {
      for (const listener of [...listeners]) this.unwatch(topic, listener);
    }
  }

  // MemberTablesHandler

  async isAlive(lease: string): Promise<boolean> {
    return (await this.#leases.get(lease)) !== null;
  }

  async announce(topic: string, change: PresenceChange, leases: readonly string[]): Promise<void> {
    this.#link.connection.publish(this.#names.changes(hashOf(topic)), JSON.stringify([change, leases]));
    await this.#link.flush(deadlineFromNow());
  }

  async #add(topic: string, id: string, data: unknown): Promise<void> {
    await this.#lease.begin();
    await this.#tables.update(topic, (members) => members.set(id, [this.#lease.name, data]));
  }

  #removeOwn(members: MemberTable, id: string): void {
    if (members.get(id)?.[0].startsWith(`${this.#node}.`) === true) members.delete(id);
  }

  /** Repeats the join or leave, according to this process. */
  #repeat(topic: string, id: string): Promise<void> {
    const own = this.#own.get(topic);
    return own?.has(id) === true ? this.join(topic, { id, data: own.get(id) }) : this.leave(topic, id);
  }

  async #renew(): Promise<void> {
    this.#isRenewing = true;
    try {
      if (!(await this.#lease.renew())) await this.#rejoin();
    } catch {
      // The next tick tries again.
    } finally {
      this.#isRenewing = false;
    }
  }

  async #rejoin(): Promise<void> {
    for (const topic of [...this.#own.keys()]) {
      await this.#tables.update(topic, (members) => {
        for (const [id, data] of this.#own.get(topic) ?? []) members.set(id, [this.#lease.name, data]);
      });
    }
  }

  /** Removes members of ended processes from the topics watched here. */
  async #reap(): Promise<void> {
    this.#isReaping = true;
    try {
      const leases = [...new Set([...this.#watched.values()].flatMap((watched) => watched.leases))];
      for (const lease of leases) {
        if (await this.isAlive(lease)) continue;
        for (const [topic, watched] of this.#watched) {
          if (!watched.leases.includes(lease)) continue;
          await this.#tables.update(topic, () => {});
          watched.leases = watched.leases.filter((one) => one !== lease);
        }
      }
    } catch {
      // The next tick tries again.
    } finally {
      this.#isReaping = false;
    }
  }

  #onChange(topic: string, text: string): void {
    const [change, leases] = JSON.parse(text) as [PresenceChange, string[]];
    const watched = this.#watched.get(topic);
    if (watched === undefined) return;
    watched.leases = [...new Set([...watched.leases, ...leases])];
    watched.version = keyOf(change.version.epoch, String(change.version.offset));
    this.#report(topic, change);
  }

  #report(topic: string, change: PresenceChange | null): void {
    for (const listener of this.#watched.get(topic)?.listeners ?? []) listener(change);
  }
}

function keyOf(one: string, other: string): string {
  return `${one.length}:${one}:${other}`;
}

/** Rejects a call of several steps that is late. Its writes are in doubt then, and the next tick repeats them. */
function inTime<Result>(promise: Promise<Result>): Promise<Result> {
  return before(deadlineFromNow(CALL_TIMEOUT), promise, noReply);
}
