// The members of each topic: one value of a bucket, changed by compare-and-swap. Every change has its own version,
// without gaps.

import type { Member, PresenceChange, PresenceSnapshot } from "holdfast/topics";
import type { Bucket } from "../connection/bucket.js";
import { hashOf, randomId } from "../connection/names.js";
import { toCallError, tooBig } from "../connection/failures.js";
import type { Link } from "../connection/link.js";

/** The members by id: the lease of each member's process, and its data. */
export type MemberTable = Map<string, readonly [lease: string, data: unknown]>;

interface State {
  readonly epoch: string;
  version: number;
  readonly members: MemberTable;
}

interface Queue {
  readonly changes: ((members: MemberTable) => void)[];
  readonly settle: ((error: Error | null) => void)[];
  isRunning: boolean;
}

export interface MemberTablesHandler {
  isAlive(lease: string): Promise<boolean>;
  /** Called when the members have changed, to announce it to every process. */
  announce(topic: string, change: PresenceChange, leases: readonly string[]): Promise<void>;
}

export class MemberTables {
  readonly #link: Link;
  readonly #bucket: Bucket;
  readonly #handler: MemberTablesHandler;
  readonly #queues = new Map<string, Queue>();

  constructor(link: Link, bucket: Bucket, handler: MemberTablesHandler) {
    this.#link = link;
    this.#bucket = bucket;
    this.#handler = handler;
  }

  /** The members of live processes, and the leases of all members. */
  async list(topic: string): Promise<PresenceSnapshot & { readonly leases: readonly string[] }> {
    const entry = await this.#bucket.get(hashOf(topic));
    const state = decode(entry?.text);
    const alive = await this.#alive(state.members);
    const members: Member[] = [];
    for (const [id, [lease, data]] of state.members) if (alive.has(lease)) members.push({ id, data });
    return { version: this.#versionOf(state), members, leases: leasesOf(state.members) };
  }

  /** Changes the members in call order, and removes those of processes that have ended. */
  update(topic: string, change: (members: MemberTable) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      let queue = this.#queues.get(topic);
      if (queue === undefined)
        this.#queues.set(topic, (queue = { changes: [], settle: [], isRunning: false }));
      queue.changes.push(change);
      queue.settle.push((error) => (error === null ? resolve() : reject(error)));
      if (!queue.isRunning) void this.#run(topic, queue);
    });
  }

  async #run(topic: string, queue: Queue): Promise<void> {
    queue.isRunning = true;
    while (queue.changes.length > 0) {
      const [changes, settle] = [queue.changes.splice(0), queue.settle.splice(0)];
      let failure: Error | null = null;
      try {
        await this.#change(topic, changes);
      } catch (error) {
        failure = toCallError(error);
      }
      for (const one of settle) one(failure);
    }
    this.#queues.delete(topic);
  }

  async #change(topic: string, changes: readonly ((members: MemberTable) => void)[]): Promise<void> {
    for (;;) {
      const entry = await this.#bucket.get(hashOf(topic));
      const state = decode(entry?.text);
      const before = new Map(state.members);
      for (const change of changes) change(state.members);
      const alive = await this.#alive(state.members);
      for (const [id, [lease]] of state.members) if (!alive.has(lease)) state.members.delete(id);
      const { joined, left } = difference(before, state.members);
      const isChanged = joined.length + left.length > 0;
      if (isChanged) state.version++;
      const text = encode(state);
      if (entry === null ? !isChanged : text === entry.text) return;
      const problem = tooBig("the members of a topic", Buffer.byteLength(text), this.#link.maxPayload, 0);
      if (problem !== null) throw problem;
      if ((await this.#bucket.put(hashOf(topic), text, entry?.revision ?? 0)) === null) continue;
      if (!isChanged) return;
      const change = { version: this.#versionOf(state), joined, left };
      // The change is stored. A process that misses the announcement notices the next version.
      await this.#handler.announce(topic, change, leasesOf(state.members)).catch(() => {});
      return;
    }
  }

  async #alive(members: MemberTable): Promise<ReadonlySet<string>> {
    const leases = leasesOf(members);
    const areAlive = await Promise.all(leases.map((lease) => this.#handler.isAlive(lease)));
    return new Set(leases.filter((_, index) => areAlive[index]));
  }

  #versionOf({ epoch, version }: State): PresenceSnapshot["version"] {
    return { epoch: `${epoch}.${this.#link.serverLife}`, offset: version };
  }
}

function leasesOf(members: MemberTable): readonly string[] {
  return [...new Set([...members.values()].map(([lease]) => lease))];
}

function difference(before: MemberTable, after: MemberTable): { joined: Member[]; left: Member[] } {
  const joined: Member[] = [];
  const left: Member[] = [];
  for (const [id, [, data]] of after) {
    const known = before.get(id);
    if (known === undefined || JSON.stringify(known[1]) !== JSON.stringify(data)) joined.push({ id, data });
  }
  for (const [id, [, data]] of before) if (!after.has(id)) left.push({ id, data });
  return { joined, left };
}

function encode({ epoch, version, members }: State): string {
  return JSON.stringify([epoch, version, [...members]]);
}

function decode(text: string | undefined): State {
  if (text === undefined) return { epoch: randomId(), version: 0, members: new Map() };
  // Only `encode` writes it.
  const [epoch, version, members] = JSON.parse(text) as [string, number, [string, [string, unknown]][]];
  return { epoch, version, members: new Map(members) };
}
