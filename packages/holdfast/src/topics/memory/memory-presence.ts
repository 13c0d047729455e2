// The presence of the memory engine. All members are of this process, so none needs a lease.

import { EngineUnavailableError } from "../../shared/engine-unavailable-error.js";
import type {
  Member,
  PresenceChange,
  PresenceListener,
  PresenceSnapshot,
  PresenceStore,
} from "../engine/presence-store.js";
import { attempt } from "./attempt.js";

interface PresentMembers {
  readonly epoch: string;
  version: number;
  readonly members: Map<string, Member>;
  readonly listeners: Set<PresenceListener>;
}

export class MemoryPresence implements PresenceStore {
  readonly #newEpoch: () => string;
  readonly #topics = new Map<string, PresentMembers>();
  #isClosed = false;

  constructor(newEpoch: () => string) {
    this.#newEpoch = newEpoch;
  }

  join(topic: string, member: Member): Promise<void> {
    return this.#attempt(() => {
      const present = this.#presentIn(topic);
      present.members.set(member.id, member);
      report(present, { joined: [member], left: [] });
    });
  }

  leave(topic: string, id: string): Promise<void> {
    return this.#attempt(() => {
      const present = this.#topics.get(topic);
      const member = present?.members.get(id);
      if (present !== undefined && member !== undefined) {
        present.members.delete(id);
        report(present, { joined: [], left: [member] });
        this.#removeIfEmpty(topic, present);
      }
    });
  }

  list(topic: string): Promise<PresenceSnapshot> {
    return this.#attempt(() => {
      const present = this.#presentIn(topic);
      const snapshot = snapshotOf(present);
      this.#removeIfEmpty(topic, present);
      return snapshot;
    });
  }

  watch(topic: string, onChange: PresenceListener): Promise<PresenceSnapshot> {
    return this.#attempt(() => {
      const present = this.#presentIn(topic);
      present.listeners.add(onChange);
      return snapshotOf(present);
    });
  }

  unwatch(topic: string, onChange: PresenceListener): void {
    const present = this.#topics.get(topic);
    if (present?.listeners.delete(onChange) === true) this.#removeIfEmpty(topic, present);
  }

  close(): void {
    this.#isClosed = true;
    this.#topics.clear();
  }

  #attempt<Result>(act: () => Result): Promise<Result> {
    return attempt(() => {
      if (this.#isClosed)
        throw new EngineUnavailableError("The engine is closed: create a new one.", "unsent");
      return act();
    });
  }

  #presentIn(topic: string): PresentMembers {
    const known = this.#topics.get(topic);
    if (known !== undefined) return known;
    const present = {
      epoch: this.#newEpoch(),
      version: 0,
      members: new Map(),
      listeners: new Set<PresenceListener>(),
    };
    this.#topics.set(topic, present);
    return present;
  }

  /** Without members and listeners, the next version may start a new epoch. */
  #removeIfEmpty(topic: string, { members, listeners }: PresentMembers): void {
    if (members.size === 0 && listeners.size === 0) this.#topics.delete(topic);
  }
}

function report(present: PresentMembers, difference: Omit<PresenceChange, "version">): void {
  present.version++;
  const change = { version: { epoch: present.epoch, offset: present.version }, ...difference };
  for (const listener of present.listeners) listener(change);
}

function snapshotOf({ epoch, version, members }: PresentMembers): PresenceSnapshot {
  return { version: { epoch, offset: version }, members: [...members.values()] };
}
