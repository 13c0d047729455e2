// The session of a client as the application sees it, by the newest message that it took: messages of a session that has
// ended may be read later.

import type { ConnectionSession } from "../../connection/session-state.js";
import type { ReceiveLedger } from "../../session/receive-ledger.js";

interface CountedSession {
  readonly id: string;
  readonly incoming: ReceiveLedger;
}

export class ShownSession {
  #current: CountedSession | null = null;
  /** The session before this one, if messages of it were unread at its end; null for none. */
  #before: CountedSession | null = null;

  /** The session is known by its id. `unread` is as in `SessionCarrierHandler`. */
  begin(id: string, incoming: ReceiveLedger, unread: number): void {
    if (this.#current?.id === id) return;
    this.end(unread);
    this.#current = { id, incoming };
  }

  end(unread: number): void {
    if (this.#current === null) return;
    this.#before = unread === 0 ? null : this.#current;
    this.#current = null;
  }

  /** `isHandling` is as in `SessionCarrier`. */
  show(isAttached: boolean, unread: number, isHandling: boolean): ConnectionSession | null {
    const unreadBefore = unread - (this.#current?.incoming.received ?? 0);
    const before = unreadBefore > 0 || (unreadBefore === 0 && isHandling) ? this.#before : null;
    if (before !== null)
      return { id: before.id, isAttached: false, position: before.incoming.positionBefore(unreadBefore) };
    if (this.#current === null) return null;
    const { id, incoming } = this.#current;
    return { id, isAttached, position: incoming.positionBefore(unread) };
  }
}
