// Calls of an engine: they reject once it is closed, and with engine errors only.

import type { Member, PresenceListener, PresenceSnapshot, PresenceStore } from "holdfast/topics";
import { closedEngine, toCallError } from "../connection/failures.js";

export async function guard<Result>(isClosed: boolean, act: () => Promise<Result>): Promise<Result> {
  if (isClosed) throw closedEngine();
  try {
    return await act();
  } catch (error) {
    throw toCallError(error);
  }
}

export class GuardedPresence implements PresenceStore {
  readonly #presence: PresenceStore;
  readonly #isClosed: () => boolean;

  constructor(presence: PresenceStore, isClosed: () => boolean) {
    this.#presence = presence;
    this.#isClosed = isClosed;
  }

  join(topic: string, member: Member): Promise<void> {
    return guard(this.#isClosed(), () => this.#presence.join(topic, member));
  }

  leave(topic: string, id: string): Promise<void> {
    return guard(this.#isClosed(), () => this.#presence.leave(topic, id));
  }

  list(topic: string): Promise<PresenceSnapshot> {
    return guard(this.#isClosed(), () => this.#presence.list(topic));
  }

  watch(topic: string, onChange: PresenceListener): Promise<PresenceSnapshot> {
    return guard(this.#isClosed(), () => this.#presence.watch(topic, onChange));
  }

  unwatch(topic: string, onChange: PresenceListener): void {
    this.#presence.unwatch(topic, onChange);
  }
}
