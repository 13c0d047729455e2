// The client's side of a session: opens it, resumes it on each later link, and reports when it is lost.
//
//   opening → attached ⇄ detached → attached | ended
//
// A lost session ends. The server opens a fresh one in the same message, and this object continues with that.

import { SessionLedger, violation, type LedgerAction } from "./session-ledger.js";
import type { LossReport, Resumption, SavedSends } from "./send-ledger.js";
import type { SavedReceipts } from "./receive-ledger.js";
import type { MemoryMeter } from "./session-memory.js";
import type { SessionLoss } from "../shared/session-errors.js";
import { writeSessionMessage, type SessionMessage, type SessionTicket, type SessionWindow } from "./wire.js";

export interface ClientSessionSettings {
  /** The limit of unconfirmed messages. */
  readonly window: SessionWindow;
  readonly meter?: MemoryMeter;
}

/** `detached` includes the time in which `resume` is under way. */
export type ClientSessionState = "attached" | "detached" | "ended" | "opening";

/** The caller's task after a link message. */
export type ClientAction =
  | LedgerAction
  /** The first session is open. */
  | { readonly type: "opened" }
  /** The session continues on this link. Transmit what `ledger.outgoing.next()` returns. */
  | ({ readonly type: "resumed" } & Resumption)
  /**
   * The session was lost. With `isFresh`, this link carries a new session, with new ledgers. Otherwise the session has
   * ended, and the caller ends the link; it may begin again with a new ClientSession.
   */
  | {
      readonly type: "lost";
      readonly reason: SessionLoss;
      readonly report: LossReport;
      readonly isFresh: boolean;
    }
  /** The answer to a `resume` with an old ATTEMPT: the server's Close follows, and the next link resumes. */
  | { readonly type: "moved" }
  /** The server has ended the session deliberately. Its Close follows. */
  | { readonly type: "ended"; readonly report: LossReport };

/**
 * The state that `keep` stores, so that a reloaded page can resume. The unread messages of the inbox belong to it as
 * well.
 */
export interface SavedClientSession {
  readonly ticket: SessionTicket;
  readonly outgoing: SavedSends;
  readonly incoming: SavedReceipts;
  readonly attempt: number;
}

export class ClientSession {
  readonly #settings: ClientSessionSettings;
  readonly #meter: MemoryMeter;
  #ledger: SessionLedger;
  #ticket: SessionTicket | null = null;
  #state: ClientSessionState = "opening";
  /** `open` or `resume` was sent on the current link, and is not answered. */
  #isAsking = false;
  /** The number of `resume` of this session that were given up before the server answered: ATTEMPT of the next one. */
  #attempt = 0;

  constructor(settings: ClientSessionSettings, saved: SavedClientSession | null = null) {
    this.#settings = settings;
    this.#meter = settings.meter ?? { used: 0 };
    this.#ledger = this.#newLedger();
    if (saved === null) return;
    this.#state = "detached";
    this.#ticket = saved.ticket;
    this.#attempt = saved.attempt + 1; // One may have been under way.
    this.#ledger.outgoing.restore(saved.outgoing);
    this.#ledger.incoming.restore(saved.incoming);
    this.#ledger.incoming.setPeerWindow(saved.ticket.window);
  }

  get state(): ClientSessionState {
    return this.#state;
  }

  /** The id, which may be logged; null before the server has given one. */
  get id(): string | null {
    return this.#ticket?.id ?? null;
  }

  /** Milliseconds for which the server keeps the session while it is detached; null before the server has said so. */
  get ttl(): number | null {
    return this.#ticket?.ttl ?? null;
  }

  /** Positions and kept messages. Another object after a loss. */
  get ledger(): SessionLedger {
    return this.#ledger;
  }

  /**
   * A new link is open. Returns its first message: `open` or `resume`. The caller must ignore messages of earlier
   * links. Until the answer arrives, nothing else of the session may be sent on this link: data sent directly after
   * `open` is lost if the link is cut before the server's answer.
   */
  connect(): string {
    this.#detach();
    this.#isAsking = true;
    const ticket = this.#ticket;
    if (ticket === null) return writeSessionMessage({ type: "open" });
    const { incoming, outgoing } = this.#ledger;
    incoming.attach();
    return writeSessionMessage({
      type: "resume",
      id: ticket.id,
      secret: ticket.secret,
      received: incoming.received,
      first: outgoing.first,
      attempt: this.#attempt,
    });
  }

  /** The current link is gone. */
  detach(): void {
    this.#detach();
  }

  /** Whether an application's message may arrive now: not before the server's answer. Otherwise fail the link with 1002. */
  get takesMessages(): boolean {
    return this.#state === "attached";
  }

  /** A link message has arrived on the current link. */
  interpret(message: SessionMessage, now: number): ClientAction {
    switch (message.type) {
      case "session":
      case "resumed":
      case "lost":
        return this.#isAsking ? this.#answer(message, now) : unexpected(message.type);
      case "ack":
      case "want":
      case "skip":
        return this.takesMessages ? this.#ledger.interpret(message, now) : unexpected(message.type);
      case "end":
        return this.takesMessages ? { type: "ended", report: this.end() } : unexpected(message.type);
      case "moved":
        if (this.takesMessages) return this.#lose("moved");
        return this.#isAsking && this.#ticket !== null ? { type: "moved" } : unexpected(message.type);
      case "replay":
      case "open":
      case "resume":
        return unexpected(message.type);
    }
  }

  /** Ends the session. The caller has sent `end` if the session was attached, or does not resume it any more. */
  end(): LossReport {
    this.#state = "ended";
    this.#isAsking = false;
    return this.#ledger.outgoing.end();
  }

  /** For `keep`; null before the server has given an id, and after the end. */
  save(): SavedClientSession | null {
    if (this.#ticket === null || this.#state === "ended") return null;
    const { incoming, outgoing } = this.#ledger;
    const attempt = this.#attempt;
    return { ticket: this.#ticket, outgoing: outgoing.save(), incoming: incoming.save(), attempt };
  }

  #answer(
    message: Extract<SessionMessage, { readonly type: "lost" | "resumed" | "session" }>,
    now: number,
  ): ClientAction {
    const isResuming = this.#ticket !== null;
    if ((message.type === "session") === isResuming) return unexpected(message.type);
    this.#isAsking = false;
    switch (message.type) {
      case "session": {
        this.#begin(message, now);
        return { type: "opened" };
      }
      case "resumed": {
        const resumption = this.#ledger.outgoing.attach(message.received, message.confirmed, now);
        if (resumption === null) return this.#lose("position");
        this.#state = "attached";
        return { type: "resumed", ...resumption };
      }
      case "lost": {
        const report = this.#ledger.outgoing.end();
        this.#ledger = this.#newLedger();
        this.#begin(message, now);
        return { type: "lost", reason: message.reason, report, isFresh: true };
      }
    }
  }

  #begin({ id, secret, ttl, window }: SessionTicket, now: number): void {
    this.#ticket = { id, secret, ttl, window };
    this.#attempt = 0;
    this.#state = "attached";
    this.#ledger.incoming.setPeerWindow(window);
    this.#ledger.outgoing.attach(0, 0, now);
  }

  #lose(reason: SessionLoss): ClientAction {
    return { type: "lost", reason, report: this.end(), isFresh: false };
  }

  #detach(): void {
    if (this.#isAsking && this.#ticket !== null) this.#attempt++;
    this.#isAsking = false;
    this.#ledger.outgoing.detach();
    if (this.#state === "attached") this.#state = "detached";
  }

  #newLedger(): SessionLedger {
    const { window } = this.#settings;
    return new SessionLedger({ window, peerWindow: window, acknowledge: "received", meter: this.#meter });
  }
}

function unexpected(word: string): ClientAction {
  return violation(`Expected no "${word}" from the server now, got one.`);
}
