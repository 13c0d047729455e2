// The HTTP/2 connections of this process that WebSockets share.

import type { SharedSession } from "./shared-session.js";

export class SessionPool {
  readonly #sessions = new Map<string, Set<SharedSession>>();
  /** Sessions that are being opened. Whoever wants one like it waits. */
  readonly #openings = new Map<string, Promise<void>>();

  /**
   * A session with room, opened by `open` where there is none. Where one is being opened already it is waited for; if
   * that fails, the next in line opens one of its own, as the failure may be of the other's making (its abort).
   *
   * @param key tells apart what must not be shared
   * @param youngerThan the number of a session that died without notice: older ones may be dead as well
   */
  async take(
    key: string,
    youngerThan: number,
    open: () => Promise<SharedSession>,
  ): Promise<{ readonly session: SharedSession; readonly isReused: boolean }> {
    for (;;) {
      const shared = this.#find(key, youngerThan);
      if (shared !== null) return { session: shared, isReused: true };
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

  #find(key: string, youngerThan: number): SharedSession | null {
    for (const session of this.#sessions.get(key) ?? []) {
      if (session.hasRoom && session.number > youngerThan) return session;
    }
    return null;
  }

  #add(key: string, session: SharedSession): void {
    const sessions = this.#sessions.get(key) ?? new Set();
    this.#sessions.set(key, sessions.add(session));
    session.onGone(() => {
      sessions.delete(session);
      if (sessions.size === 0 && this.#sessions.get(key) === sessions) this.#sessions.delete(key);
    });
  }
}
