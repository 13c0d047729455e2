// The server's side of a session: attached to one link at a time, detached until a deadline, or ended.
//
//   attached ⇄ detached → ended

/* eslint max-lines: ["warn", { "max": 260, "skipBlankLines": true, "skipComments": true }] -- One state machine, with everything that changes it. */

import { bytesOfDigits, digitsOfBytes } from "./session-id.js";
import {
  detached,
  FIRST_SOCKET,
  NO_PAST,
  prolonged,
  type Attachment,
  type ServerSessionState,
} from "./session-past.js";
import { SessionLedger, violation, type LedgerAction } from "./session-ledger.js";
import type { LossReport, Resumption } from "./send-ledger.js";
import type { Acknowledge, SavedReceipts } from "./receive-ledger.js";
import type { InboxEntry, SessionRecord } from "./store/session-record.js";
import type { MemoryMeter } from "./session-memory.js";
import type { SessionLoss } from "../shared/session-errors.js";
import { writeSessionMessage, type SessionMessage, type SessionTicket, type SessionWindow } from "./wire.js";

/** The settings of all sessions of a server. */
export interface ServerSessionSettings {
  /** The limit of unconfirmed messages in each direction. */
  readonly window: SessionWindow;
  /** Milliseconds for which a detached session is kept. */
  readonly retain: number;
  /** Milliseconds after its beginning from which a session cannot be resumed; null for no limit. */
  readonly maxLifetime: number | null;
  readonly acknowledge: Acknowledge;
  readonly meter: MemoryMeter;
  /** Epoch milliseconds near the creation of most sessions: only a small difference to it needs no memory. @default 0 */
  readonly epoch?: number;
}

/** Names a session, and its owner. */
export interface SessionIdentity {
  readonly id: string;
  /** SHA-256 of the secret, in lower-case hexadecimal. */
  readonly secretHash: string;
  readonly owner: string | null;
  readonly subprotocol: string | null;
  /** Epoch milliseconds. */
  readonly created: number;
}

/** A client's proof: the hash of its secret, and the owner that the server found for the request. */
export interface SessionProof {
  readonly secretHash: string;
  readonly owner: string | null;
}

/** The caller's task after a link message. */
export type ServerAction =
  | LedgerAction
  /** Another link has taken over: ignore this one's messages. The client has received `moved` on it. */
  | { readonly type: "stale" }
  /** The client has ended the session deliberately. Send `lastAck` if it is not "": it confirms what arrived. */
  | { readonly type: "ended"; readonly report: LossReport; readonly lastAck: string };

/** The answer to `resume`. */
export type ResumeAnswer =
  /** The client has given this link up and resumed on a later one. Send `moved` and Close 1008 on it. Nothing changes. */
  | { readonly type: "stale" }
  | ({
      readonly type: "resumed";
      /** The message to send first on the new link, before the messages of `ledger.outgoing.next()`. */
      readonly text: string;
      readonly attachment: Attachment;
      /** The link to which `moved` and Close 1008 must be sent; null for none. Its messages do not count any more. */
      readonly fenced: Attachment | null;
    } & Resumption)
  /** The session has ended. Answer with `writeLost()` and a new session. `fenced` as above. */
  | {
      readonly type: "lost";
      readonly reason: SessionLoss;
      readonly report: LossReport;
      readonly fenced: Attachment | null;
    };

/** The answer to a `resume` that cannot be granted: the reason, and a new session. */
export function writeLost(reason: SessionLoss, fresh: SessionTicket): string {
  return writeSessionMessage({ type: "lost", reason, ...fresh });
}

/** The answer to `open`. */
export function writeOpened(fresh: SessionTicket): string {
  return writeSessionMessage({ type: "session", ...fresh });
}

/** It has no private methods: they would cost each session eight bytes. */
export class ServerSession implements SessionIdentity {
  readonly owner: string | null;
  readonly subprotocol: string | null;
  /** The id, a space, and the bytes of the hash, which are half as long as its digits: one string takes less than two. */
  readonly #name: string;
  /** Milliseconds from the `epoch` of the settings to the creation. */
  readonly #created: number;
  readonly #settings: ServerSessionSettings;
  /** Null while nothing is in flight: then the two positions below are all that is left of it. */
  #ledger: SessionLedger | null = null;
  #sent = 0;
  #received = 0;
  #past = NO_PAST;

  /** A new session, or one that was claimed from a store. The record's inbox is for the caller. */
  constructor(
    identity: SessionIdentity,
    settings: ServerSessionSettings,
    record: SessionRecord | null = null,
  ) {
    this.owner = identity.owner;
    this.subprotocol = identity.subprotocol;
    this.#name = [identity.id, bytesOfDigits(identity.secretHash)].join(" "); // A template would keep both parts.
    this.#created = identity.created - (settings.epoch ?? 0);
    this.#settings = settings;
    if (record === null) return;
    const { generation, deadline, attempt } = record;
    this.#past = { ...NO_PAST, generation, deadline, attempt };
    this.#ledger = this.newLedger();
    this.#ledger.outgoing.restore(record.outgoing);
    this.#ledger.incoming.restore(
      record.incoming,
      record.inbox.map(({ position }) => position),
    );
  }

  get id(): string {
    return this.#name.slice(0, this.#name.indexOf(" "));
  }

  get secretHash(): string {
    return digitsOfBytes(this.#name.slice(this.#name.indexOf(" ") + 1));
  }

  get created(): number {
    return this.#created + (this.#settings.epoch ?? 0);
  }

  /** Positions and kept messages. Another object after `rest()`. */
  get ledger(): SessionLedger {
    return (this.#ledger ??= this.wake());
  }

  /**
   * Drops the ledger if nothing is in flight in either direction: an idle session needs little memory. Returns whether it
   * did. The next use of `ledger` makes another one.
   */
  rest(): boolean {
    if (this.#ledger?.isAtRest !== true) return false;
    this.#sent = this.#ledger.outgoing.sent;
    this.#received = this.#ledger.incoming.received;
    this.#ledger = null;
    return true;
  }

  /** Whether a message was ever counted. */
  get hasMessages(): boolean {
    const sent = this.#ledger === null ? this.#sent : this.#ledger.outgoing.sent;
    return sent > 0 || this.positionBefore(0) > 0;
  }

  /** As in `SendLedger`. */
  get isCaughtUp(): boolean {
    return this.#ledger === null ? this.state === "attached" : this.#ledger.outgoing.isCaughtUp;
  }

  /** As in `SendLedger`. */
  get unconfirmedBytes(): number {
    return this.#ledger === null ? 0 : this.#ledger.outgoing.unconfirmedBytes;
  }

  /** The position of the message before the `count` newest ones that arrived. */
  positionBefore(count: number): number {
    return this.#ledger === null ? this.#received - count : this.#ledger.incoming.positionBefore(count);
  }

  /** The number of the newest link. */
  get attachment(): Attachment {
    return this.#past.attachment;
  }

  get state(): ServerSessionState {
    return this.#past.state;
  }

  get generation(): number {
    return this.#past.generation;
  }

  /** ATTEMPT of the newest `resume`. */
  get attempt(): number {
    return this.#past.attempt;
  }

  /** The deadline by the present time of day, which may have been set since; null while attached. */
  expiryAt(now: number, wallNow: number): number | null {
    const { deadline, expiry } = this.#past;
    return expiry === null ? deadline : Math.min(wallNow + expiry - now, this.lifetimeEnd);
  }

  /** Epoch milliseconds at which a detached session expires; null while attached. */
  get deadline(): number | null {
    return this.#past.deadline;
  }

  /** Epoch milliseconds from which the session cannot be resumed, attached or not; Infinity for never. */
  get lifetimeEnd(): number {
    const { maxLifetime } = this.#settings;
    return maxLifetime === null ? Infinity : this.created + maxLifetime;
  }

  /** Why the session was lost; null if it was not, or if it ended deliberately. */
  get loss(): SessionLoss | null {
    return this.#past.loss;
  }

  /** Attaches the first link, after `writeOpened()` or `writeLost()` was sent on it. `now` is monotonic. */
  open(now: number): Attachment {
    this.#ledger?.outgoing.attach(0, 0, now);
    return this.attachNext();
  }

  /**
   * A client whose proof was judged resumes the session. Fences the earlier link, whose messages do not count from now
   * on. `now` is monotonic, `wallNow` in epoch milliseconds.
   */
  resume(
    message: { readonly received: number; readonly first: number; readonly attempt: number },
    now: number,
    wallNow: number,
  ): ResumeAnswer {
    const fenced = this.state === "attached" ? this.attachment : null;
    if (this.state === "ended") return this.refuse(this.loss ?? "unknown", fenced);
    if (message.attempt < this.attempt) return { type: "stale" };
    if (this.isExpired(now, wallNow)) return this.refuse("expired", fenced);
    this.#past = { ...this.#past, attempt: message.attempt };
    const { incoming, outgoing } = this.ledger;
    outgoing.detach();
    if (message.first > incoming.received + 1) return this.refuse("position", fenced);
    const resumption = outgoing.attach(message.received, message.received, now);
    if (resumption === null) return this.refuse("position", fenced);
    incoming.attach();
    const { received, confirmable: confirmed } = incoming;
    const text = writeSessionMessage({ type: "resumed", received, confirmed });
    return { type: "resumed", text, attachment: this.attachNext(), fenced, ...resumption };
  }

  /** Whether messages of this link count. */
  isCurrent(attachment: Attachment): boolean {
    return this.state === "attached" && attachment === this.attachment;
  }

  /** A link message has arrived. */
  interpret(message: SessionMessage, attachment: Attachment, now: number): ServerAction {
    if (!this.isCurrent(attachment)) return { type: "stale" };
    switch (message.type) {
      case "ack":
      case "want":
      case "skip":
        return this.ledger.interpret(message, now);
      case "end": {
        const lastAck = this.ledger.takeAck("due");
        return { type: "ended", lastAck, report: this.end() };
      }
      default:
        return violation(`Expected no "${message.type}" from the client now, got one.`);
    }
  }

  /** The link is gone. Nothing changes if another link has taken over. `now` and `wallNow` as for `resume`. */
  detach(attachment: Attachment, now: number, wallNow: number): void {
    if (!this.isCurrent(attachment)) return;
    this.#ledger?.outgoing.detach();
    this.#past = detached(this.#past, now, wallNow, this.#settings.retain, this.lifetimeEnd);
  }

  /** Whether the deadline of a detached session has passed: the caller then calls `lose("expired")`. */
  hasExpired(now: number, wallNow: number): boolean {
    return this.state === "detached" && this.isExpired(now, wallNow);
  }

  /**
   * A detached session is about to expire. If that is late, since this process could not run, its client may have tried in
   * vain: the session is kept for as long again, once, and for `retain` at most. Returns whether it is.
   */
  prolong(now: number, wallNow: number): boolean {
    const before = this.#past;
    this.#past = prolonged(before, now, wallNow, this.#settings.retain, this.lifetimeEnd);
    return this.#past !== before;
  }

  /** The session is lost: expired, overflowed, evicted, moved to another process, or its store failed. */
  lose(reason: SessionLoss): LossReport {
    if (this.loss === null && this.state !== "ended") this.#past = { ...this.#past, loss: reason };
    return this.end();
  }

  /** Ends the session deliberately. The caller has sent `end` if it was attached. */
  end(): LossReport {
    this.#past = { ...this.#past, state: "ended", deadline: null };
    return this.#ledger === null ? NOTHING_LOST : this.#ledger.outgoing.end();
  }

  /**
   * The record for a store. `inbox` holds the messages that the application has not received, in order. If `incoming`
   * covers less than was received, the client sends the rest again. `deadline` is in epoch milliseconds: an attached session
   * must expire as well if its process is killed.
   */
  save(
    inbox: readonly InboxEntry[],
    incoming: SavedReceipts = this.ledger.incoming.save(),
    deadline = this.deadline ?? this.lifetimeEnd,
  ): SessionRecord {
    return {
      id: this.id,
      secretHash: this.secretHash,
      owner: this.owner,
      subprotocol: this.subprotocol,
      created: this.created,
      generation: this.generation,
      attempt: this.attempt,
      deadline: deadline === Infinity ? null : deadline,
      outgoing: this.ledger.outgoing.save(),
      incoming,
      inbox,
    };
  }

  protected newLedger(): SessionLedger {
    const { window, acknowledge, meter } = this.#settings;
    return new SessionLedger({ window, peerWindow: window, acknowledge, meter });
  }

  /** The ledger of a session in which everything is confirmed. */
  protected wake(): SessionLedger {
    const ledger = this.newLedger();
    ledger.restoreAtRest(this.#sent, this.#received);
    if (this.state === "attached") ledger.outgoing.attach(this.#sent, this.#sent, 0);
    return ledger;
  }

  protected attachNext(): Attachment {
    const attachment = this.attachment + 1;
    this.#past =
      this.#past === NO_PAST
        ? FIRST_SOCKET
        : { ...this.#past, state: "attached", attachment, deadline: null, expiry: null };
    return attachment;
  }

  protected refuse(reason: SessionLoss, fenced: Attachment | null): ResumeAnswer {
    return { type: "lost", reason, report: this.lose(reason), fenced };
  }

  protected isExpired(now: number, wallNow: number): boolean {
    if (wallNow >= this.lifetimeEnd) return true;
    const { expiry } = this.#past;
    return expiry === null ? wallNow >= (this.deadline ?? Infinity) : now >= expiry;
  }
}

const NOTHING_LOST: LossReport = { unsent: 0, unknown: 0, tokens: [] };
