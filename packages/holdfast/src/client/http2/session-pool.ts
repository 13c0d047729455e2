// The HTTP/2 sessions of this process, for WebSockets to share.

import type { SharedSession } from "./shared-session.js";

export class SessionPool {
  readonly #sessions = new Map<string, Set<SharedSession>>();
  /** Sessions being opened. Attempts with the same key wait for them. */
  readonly #openings = new Map<string, Promise<void>>();

  /**
   * Returns a session with a place reserved on it, or opens one. If one is being opened, waits for it. If that fails, the next
   * waiting attempt opens its own, because the failure may be specific to the first attempt (such as its abort).
   *
   * @param key equal for attempts that can share a session
   * @param newerThan the number of a session that died unnoticed: older sessions may be dead as well
   */
  async acquire(
    key: string,
    newerThan: number,
    open: () => Promise<SharedSession>,
  ): Promise<{ readonly session: SharedSession; readonly isReused: boolean }> {
    for (;;) {
      const shared = this.#find(key, newerThan);
      if (shared !== null) {
        // Before other attempts run: they see the new stream only once its request has been sent.
        shared.reserve();
        return { session: shared, isReused: true };
      }
      const pending = this.#openings.get(key);
      if (pending === undefined) break;
      await pending;
    }
    const opening = open();
    const settled = opening.then(
      (session) => this.#add(key, session),
      () => undefined,
    );
    this.#openings.set(
      key,
      settled.finally(() => this.#openings.delete(key)),
    );
    const session = await opening;
    await settled;
    return { session, isReused: false };
  }

  #find(key: string, newerThan: number): SharedSession | null {
    for (const session of this.#sessions.get(key) ?? []) {
      if (session.hasCapacity && session.number > newerThan) return session;
    }
    return null;
  }

  #add(key: string, session: SharedSession): void {
    const sessions = this.#sessions.get(key) ?? new Set();
    this.#sessions.set(key, sessions.add(session));
    session.onClosed(() => {
      sessions.delete(session);
      if (sessions.size === 0 && this.#sessions.get(key) === sessions) this.#sessions.delete(key);
    });
  }
}
