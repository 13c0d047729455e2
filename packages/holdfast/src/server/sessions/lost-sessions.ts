// Why sessions were lost, for the clients that ask for them, for as long as they might have resumed them.

import type { SessionLoss } from "../../shared/session-errors.js";
import type { SessionIdentity, SessionProof } from "../../session/server-session.js";
import { equalInConstantTime } from "../../session/session-id.js";

/** The number of losses that are remembered. */
const MAX_LOSSES = 10_000;

export class LostSessions {
  /** The oldest first. */
  readonly #losses = new Map<string, { readonly secretHash: string; readonly loss: SessionLoss }>();

  add({ id, secretHash }: SessionIdentity, loss: SessionLoss): void {
    this.#losses.set(id, { secretHash, loss });
    if (this.#losses.size <= MAX_LOSSES) return;
    for (const oldest of this.#losses.keys()) {
      this.#losses.delete(oldest);
      return;
    }
  }

  /** Null for a session that was not lost, as far as known. A client without its secret does not learn the reason. */
  reasonFor(id: string, { secretHash }: SessionProof): SessionLoss | null {
    const known = this.#losses.get(id);
    if (known === undefined) return null;
    return equalInConstantTime(known.secretHash, secretHash) ? known.loss : "unknown";
  }
}
