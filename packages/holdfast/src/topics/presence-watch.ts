// Follows the members of a topic: a snapshot, and then each difference once. If a version is missing, it compares with
// a new snapshot.

import type { Member, PresenceChange, PresenceSnapshot, PresenceStore } from "./engine/presence-store.js";
import type { Position } from "./position.js";

/** The members of a topic, and the changes. */
export interface PresenceUpdate {
  /** 1 for the first update of a watcher, and 1 more for each later one. */
  readonly version: number;
  readonly members: readonly Member[];
  /** Members that are new or have new data. In the first update, all members. */
  readonly joined: readonly Member[];
  readonly left: readonly Member[];
}

export interface PresenceWatchOptions {
  readonly store: PresenceStore;
  readonly topic: string;
  readonly onUpdate: (update: PresenceUpdate) => void;
  readonly onError: (error: unknown) => void;
  /** Resolves after a while. */
  readonly pause: () => Promise<void>;
}

export class PresenceWatch {
  readonly #options: PresenceWatchOptions;
  readonly #members = new Map<string, Member>();
  #version: Position | null = null;
  #updates = 0;
  #isListing = false;
  #mustListAgain = false;
  #isStopped = false;

  constructor(options: PresenceWatchOptions) {
    this.#options = options;
  }

  /** Resolves once the first update was reported. */
  async start(): Promise<void> {
    const { store, topic } = this.#options;
    this.#isListing = true;
    const snapshot = await store.watch(topic, this.#onChange);
    this.#isListing = false;
    this.#onSnapshot(snapshot);
    if (this.#mustListAgain) void this.#list();
  }

  stop(): void {
    this.#isStopped = true;
    this.#options.store.unwatch(this.#options.topic, this.#onChange);
  }

  readonly #onChange = (change: PresenceChange | null): void => {
    if (this.#isStopped) return;
    const version = this.#version;
    if (change !== null && version !== null && change.version.epoch === version.epoch) {
      if (change.version.offset <= version.offset) return;
      if (change.version.offset === version.offset + 1 && !this.#isListing) {
        this.#onDifference(change);
        return;
      }
    }
    void this.#list();
  };

  async #list(): Promise<void> {
    this.#mustListAgain = true;
    if (this.#isListing) return;
    this.#isListing = true;
    const { store, topic, onError, pause } = this.#options;
    while (this.#mustListAgain && !this.#isStopped) {
      this.#mustListAgain = false;
      try {
        const snapshot = await store.list(topic);
        this.#onSnapshot(snapshot);
      } catch (error) {
        onError(error);
        this.#mustListAgain = true;
        await pause();
      }
    }
    this.#isListing = false;
  }

  #onDifference({ version, joined, left }: PresenceChange): void {
    this.#version = version;
    const gone = left.filter(({ id }) => this.#members.delete(id));
    this.#add(joined, gone);
  }

  #onSnapshot({ version, members }: PresenceSnapshot): void {
    if (this.#isStopped) return;
    const known = this.#version;
    if (known?.epoch === version.epoch && version.offset < known.offset) return; // Older than the known version.
    this.#version = version;
    const present = new Map(members.map((member) => [member.id, member]));
    const left = [...this.#members.values()].filter(({ id }) => !present.has(id));
    for (const { id } of left) this.#members.delete(id);
    this.#add(members, left);
  }

  /** Adds the members of these that are new or have new data, and reports what has changed. */
  #add(members: readonly Member[], left: readonly Member[]): void {
    const joined = members.filter((member) => !isEqual(this.#members.get(member.id), member));
    for (const member of joined) this.#members.set(member.id, member);
    if (this.#updates > 0 && joined.length === 0 && left.length === 0) return;
    this.#options.onUpdate({ version: ++this.#updates, members: [...this.#members.values()], joined, left });
  }
}

function isEqual(one: Member | undefined, other: Member): boolean {
  return one !== undefined && JSON.stringify(one.data) === JSON.stringify(other.data);
}
