// The record of a session in a store, and the changes that a store logs. Plain objects: text, numbers, and bytes of
// messages.

import { HoldfastError } from "../../shared/errors.js";
import type { SavedReceipts } from "../receive-ledger.js";
import type { SavedSends } from "../send-ledger.js";
import type { SessionMessageData } from "../session-memory.js";

/** A received message that the application has not received yet. */
export interface InboxEntry {
  readonly position: number;
  readonly message: SessionMessageData;
}

/** The record of a session in a store. */
export interface SessionRecord {
  readonly id: string;
  /** SHA-256 of the secret, in lower-case hexadecimal. The secret itself is never stored. */
  readonly secretHash: string;
  readonly owner: string | null;
  readonly subprotocol: string | null;
  /** Epoch milliseconds. */
  readonly created: number;
  /** Epoch milliseconds at which the session expires; null for never. While attached, its process renews that in time. */
  readonly deadline: number | null;
  /** Increments with each claim. A write with an older one is refused. */
  readonly generation: number;
  /** ATTEMPT of the client's newest `resume`. */
  readonly attempt: number;
  readonly outgoing: SavedSends;
  readonly incoming: SavedReceipts;
  /** In the order of positions. */
  readonly inbox: readonly InboxEntry[];
}

/** A change of a record, for `durability: "message"`. */
export type SessionChange =
  /** A message of the server, about to be sent; null for a position that will never arrive. */
  | { readonly type: "sent"; readonly position: number; readonly message: SessionMessageData | null }
  /** The client has confirmed the server's messages up to this position. */
  | { readonly type: "confirmed"; readonly position: number }
  /** A message of the client, about to be confirmed. */
  | { readonly type: "received"; readonly position: number; readonly message: SessionMessageData }
  /** The client has skipped positions up to this one. */
  | { readonly type: "skipped"; readonly position: number }
  /** The application has received the client's messages up to this position. */
  | { readonly type: "handled"; readonly position: number }
  /** It was attached or detached: it expires at this time in epoch milliseconds, or never (null). */
  | { readonly type: "deadline"; readonly deadline: number | null; readonly attempt: number };

/**
 * The record after these changes. It ignores messages that it has already: a write that failed may be carried out later
 * than the one that took its place.
 *
 * @throws HoldfastError if messages before a change are missing
 */
export function applyChanges(record: SessionRecord, changes: readonly SessionChange[]): SessionRecord {
  let { deadline, attempt } = record;
  let { sent, confirmed, transmitted } = record.outgoing;
  const kept = [...record.outgoing.kept];
  let { received, confirmed: confirmable } = record.incoming;
  let inbox = [...record.inbox];
  for (const change of changes) {
    switch (change.type) {
      case "sent":
        if (isKnown(change.position, sent)) break;
        kept.push(change.message);
        sent = change.position;
        transmitted = change.position;
        break;
      case "confirmed": {
        const position = Math.min(change.position, sent);
        kept.splice(0, Math.max(0, position - confirmed));
        confirmed = Math.max(confirmed, position);
        break;
      }
      case "received":
        if (isKnown(change.position, received)) break;
        inbox.push({ position: change.position, message: change.message });
        received = change.position;
        break;
      case "skipped":
        received = Math.max(received, change.position);
        break;
      case "handled":
        inbox = inbox.filter(({ position }) => position > change.position);
        confirmable = Math.max(confirmable, change.position);
        break;
      case "deadline":
        deadline = change.deadline;
        attempt = Math.max(attempt, change.attempt);
    }
  }
  return {
    ...record,
    deadline,
    attempt,
    outgoing: { sent, confirmed, transmitted: Math.max(transmitted, confirmed), kept },
    incoming: { received, confirmed: confirmable },
    inbox,
  };
}

function isKnown(position: number, newest: number): boolean {
  if (position <= newest + 1) return position <= newest;
  const message = `Expected message ${newest + 1} of a stored session, got ${position}. Check whether the store has lost writes.`;
  throw new HoldfastError(message);
}
