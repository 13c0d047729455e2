// The outgoing direction of a session: counts messages, keeps those that the peer has not confirmed, and decides what
// to transmit on the current link.
//
//   0 ≤ confirmed ≤ cursor - 1 ≤ sent
//
// Positions up to `confirmed` are forgotten. Positions from `cursor` on have not been handed to the current link.

/* eslint max-lines: ["warn", { "max": 260, "skipBlankLines": true, "skipComments": true }] -- Each position is in one of these states, and all of them change together. */

import { KeptMessages } from "./kept-messages.js";
import { SendWindow } from "./send-window.js";
import type { MemoryMeter, SessionMessageData, SharedPayload } from "./session-memory.js";
import type { SessionWindow } from "./wire.js";

/** The fate of an unconfirmed message: it certainly did not arrive, or it may have arrived. */
export type Outcome = "unknown" | "unsent";

/** Opaque to the session: the caller gets it back when a message is confirmed or lost. Never null. */
export type Token = unknown;

/** The numbers of messages that were not confirmed when a session ended. */
export interface LossCounts {
  /** Messages that certainly did not reach the peer. */
  readonly unsent: number;
  /** Messages that may have reached the peer. */
  readonly unknown: number;
}

/** The unconfirmed messages of a session that has ended. */
export interface LossReport extends LossCounts {
  /**
   * The messages that were pushed with a token, in order. Each token is reported once: here, as confirmed, or as
   * failed.
   */
  readonly tokens: readonly { readonly token: Token; readonly outcome: Outcome }[];
}

/** The messages that a resumption settles. */
export interface Resumption {
  /** Tokens of the messages that the peer has confirmed, in order. */
  readonly confirmed: readonly Token[];
  /** Tokens of streamed messages that certainly did not arrive. They are skipped. */
  readonly unsent: readonly Token[];
  /** The number of messages that are to be replayed. */
  readonly replayed: number;
}

/** The part of a record that describes this direction. */
export interface SavedSends {
  readonly sent: number;
  readonly confirmed: number;
  /** Positions up to this one may have reached the peer. */
  readonly transmitted: number;
  /** Positions `confirmed + 1` to `sent`; null for one that will never arrive. */
  readonly kept: readonly (SessionMessageData | null)[];
}

const NO_TOKENS: readonly Token[] = [];

export class SendLedger {
  readonly #meter: MemoryMeter;
  /** The positions after `#confirmed`; null while there are none. */
  #kept: KeptMessages | null = null;
  /** The configured window, until much of it was used: then a `SendWindow` takes its place, which may grow. */
  #window: SendWindow | SessionWindow;
  #sent = 0;
  #confirmed = 0;
  /** The next position to hand to the link. */
  #cursor = 1;
  /** Positions up to this one were handed to an earlier link, and the peer has not said that it lacks them. */
  #transmitted = 0;
  #isAttached = false;
  /** Positions up to this one were given to the store, so that another process may transmit them. */
  #handedOver = 0;
  /** Later positions are not transmitted yet, since the store does not have them; null for no limit. */
  #limit: number | null = null;
  /** By position, in order; null for none, as in most sessions. */
  #tokens: Map<number, Token> | null = null;
  /** The newest position of a streamed message; 0 for none. */
  #newestStream = 0;
  /** A `want` is on its way, and nothing was confirmed since. */
  #isWanted = false;
  /** Messages up to this position are easy: see `pushEasy`. */
  #easyUntil = 0;
  /** And while less than this is kept. */
  #easyBytes = 0;

  constructor(window: SessionWindow, meter: MemoryMeter) {
    this.#window = window;
    this.#meter = meter;
  }

  /** The position of the newest message. */
  get sent(): number {
    return this.#sent;
  }

  /** The newest position that the peer has confirmed. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /** The oldest position that is still kept: FIRST of `resume`. */
  get first(): number {
    return this.#confirmed + 1;
  }

  /** Messages that the peer has not confirmed. */
  get unconfirmed(): number {
    return this.#sent - this.#confirmed;
  }

  /** Payload of the kept messages: bytes, and UTF-16 code units of strings. */
  get unconfirmedBytes(): number {
    return this.#kept === null ? 0 : this.#kept.bytes;
  }

  /** Whether another message fits into the window. Attached: senders wait. Detached: a server's session overflows. */
  get hasRoom(): boolean {
    return this.unconfirmed < this.#window.messages && this.unconfirmedBytes < this.#window.bytes;
  }

  /** Whether every message was handed to the current link. */
  get isCaughtUp(): boolean {
    return this.#isAttached && this.#cursor > this.#sent;
  }

  /** Whether everything is confirmed, and the window is as configured. */
  get isAtRest(): boolean {
    return this.#sent === this.#confirmed && this.#limit === null && !(this.#window instanceof SendWindow);
  }

  /**
   * Counts and keeps a message. Returns true if the caller must transmit it on the current link in this turn. Otherwise
   * `next()` returns it when its turn comes. Bytes must be a copy. It does not check `hasRoom`: the caller decides what
   * happens without room.
   */
  push(message: SessionMessageData | SharedPayload, token: Token = null): boolean {
    const position = this.#sent + 1;
    this.#keep().push(position, message);
    return this.#add(position, token);
  }

  /**
   * The same for a text, if nothing else is to be done: everything before it was handed to the current link, there is
   * room, and `takeWant()` would return false. Otherwise returns false, and nothing has happened. So it does for one of 32
   * messages at least.
   */
  pushEasy(text: string): boolean {
    const position = this.#sent + 1;
    const kept = this.#kept;
    if (position > this.#easyUntil || kept === null) return false;
    this.#sent = position;
    this.#cursor = position + 1;
    kept.pushText(text);
    if (kept.bytes >= this.#easyBytes) this.#easyUntil = 0;
    return true;
  }

  /**
   * Counts a message that is not kept, since it is streamed. The caller transmits it now. Only when `isCaughtUp`. If the
   * link is cut and the message did not arrive, `attach()` reports its token as unsent.
   */
  pushStreamed(token: Token = null): void {
    const position = this.#sent + 1;
    this.#keep().pushGap(position, "streamed");
    this.#newestStream = position;
    this.#add(position, token);
  }

  /** The newest message is a streamed one of which nothing was transmitted: `next()` skips it. */
  withdrawStream(): void {
    const position = this.#newestStream;
    this.#kept?.skip(position);
    this.#tokens?.delete(position);
    this.#cursor = Math.min(this.#cursor, position);
  }

  /**
   * Takes the next message to transmit on this link: a message, or the argument of a `skip`; null when caught up. Replay
   * and new messages come in order.
   */
  next(): SessionMessageData | number | null {
    const end = this.#end;
    if (!this.#isAttached || this.#cursor > end) return null;
    const message = this.#keep().messageAt(this.#cursor);
    const first = this.#cursor++;
    if (message === null) while (this.#cursor <= end && this.#isSkipped(this.#cursor)) this.#cursor++;
    this.#findEasy();
    return message ?? this.#cursor - first;
  }

  /**
   * Messages up to this position are being given to the store, so that another process may transmit them from now on. Zero
   * if the store has refused them all since the last `release`.
   */
  handOver(position: number): void {
    this.#handedOver = position;
  }

  /** Messages up to this position may be transmitted; later ones wait for the next call. All may before the first. */
  release(position: number): void {
    this.#limit = position;
    this.#findEasy();
  }

  /**
   * The peer has sent `ack`. Returns the tokens of the messages that it confirms, in order; null if nothing with this
   * position was sent on this link, which is a protocol error (1002). An older ack is ignored.
   */
  acknowledge(position: number, now: number): readonly Token[] | null {
    if (!this.#isAttached || position >= this.#cursor) return null;
    return this.#confirm(position, now);
  }

  /**
   * A new link is in place. The peer has received everything up to `received` and confirms up to `confirmed`. Returns
   * the messages that this settles; null if the positions do not agree, so that the session is lost (`position`). Call
   * `detach()` first if another link was in place.
   */
  attach(received: number, confirmed: number, now: number): Resumption | null {
    if (received > this.#sent || received < this.#confirmed || confirmed > received) return null;
    if (this.#window instanceof SendWindow) this.#window.restart();
    this.#isWanted = false;
    const tokens = this.#confirm(confirmed, now);
    this.#cursor = received + 1;
    this.#transmitted = received; // The messages that were being sent on the old link are certainly lost.
    this.#isAttached = true;
    const unsent = this.#failStreams();
    this.#findEasy();
    return { confirmed: tokens, unsent, replayed: this.#count(this.#cursor, this.#sent) };
  }

  /** The link is gone, or its messages are no longer taken. */
  detach(): void {
    if (!this.#isAttached) return;
    this.#isAttached = false;
    this.#transmitted = Math.max(this.#transmitted, this.#cursor - 1);
    this.#findEasy();
  }

  /**
   * Whether to send `want` in this turn: half of the window is used and no `want` is on its way. Returns true once, until
   * something is confirmed.
   */
  takeWant(): boolean {
    if (this.#isWanted || !this.#isAttached || this.#cursor <= this.#end) return false;
    if (!this.#isHalfUsed) return false;
    this.#isWanted = true;
    return true;
  }

  /** The session has ended: forgets everything, and reports each unconfirmed message once. */
  end(): LossReport {
    this.detach();
    const unknown = this.#count(this.first, this.#reached);
    const unsent = this.#count(this.#reached + 1, this.#sent);
    const tokens = this.endTokens();
    this.#forget(this.#sent);
    this.#cursor = this.#sent + 1;
    return { unsent, unknown, tokens };
  }

  /** No ack follows any more: reports the messages that were pushed with a token. They are not reported again. */
  endTokens(): LossReport["tokens"] {
    const transmitted = this.#reached;
    const tokens = [...(this.#tokens ?? [])];
    this.#tokens = null;
    return tokens.map(([position, token]) => ({
      token,
      outcome: position > transmitted ? "unsent" : "unknown",
    }));
  }

  save(): SavedSends {
    const kept: (SessionMessageData | null)[] = [];
    for (let position = this.#confirmed + 1; position <= this.#sent; position++) {
      kept.push(this.#keep().messageAt(position));
    }
    return { sent: this.#sent, confirmed: this.#confirmed, transmitted: this.#handedToLinks, kept };
  }

  /** Only on a ledger that was just constructed. */
  restore(saved: SavedSends): void {
    this.#confirmed = saved.confirmed;
    this.#sent = saved.confirmed;
    for (const message of saved.kept) {
      const position = ++this.#sent;
      if (message === null) this.#keep().pushGap(position, "skipped");
      else this.#keep().push(position, message);
    }
    this.#cursor = this.#sent + 1;
    this.#transmitted = saved.transmitted;
  }

  #keep(): KeptMessages {
    return (this.#kept ??= new KeptMessages(this.#meter));
  }

  /** Positions up to this one were handed to a link. */
  get #handedToLinks(): number {
    return Math.max(this.#transmitted, this.#isAttached ? this.#cursor - 1 : 0);
  }

  /** Positions up to this one may have reached the peer. */
  get #reached(): number {
    return Math.min(
      Math.max(this.#handedToLinks, this.#confirmed, this.#limit ?? 0, this.#handedOver),
      this.#sent,
    );
  }

  /** The newest position that may be transmitted. */
  get #end(): number {
    return this.#limit === null ? this.#sent : Math.min(this.#sent, this.#limit);
  }

  get #isHalfUsed(): boolean {
    return this.unconfirmed * 2 >= this.#window.messages || this.unconfirmedBytes * 2 >= this.#window.bytes;
  }

  /** Call it whenever anything has changed but by `pushEasy`. */
  #findEasy(): void {
    this.#easyUntil = 0;
    if (this.#kept === null || !this.isCaughtUp || this.#limit !== null || this.#isHalfUsed) return;
    const half = this.#confirmed + Math.ceil(this.#window.messages / 2);
    this.#easyUntil = Math.min(half, this.#sent + this.#kept.room);
    this.#easyBytes = this.#window.bytes / 2;
  }

  #add(position: number, token: Token): boolean {
    const isNext = this.isCaughtUp && (this.#limit === null || position <= this.#limit);
    this.#sent = position;
    if (isNext) this.#cursor = position + 1;
    if (token !== null) (this.#tokens ??= new Map<number, Token>()).set(position, token);
    this.#findEasy();
    return isNext;
  }

  #confirm(position: number, now: number): readonly Token[] {
    if (position <= this.#confirmed) return NO_TOKENS;
    const bytesBefore = this.unconfirmedBytes;
    if (this.#isHalfUsed && !(this.#window instanceof SendWindow))
      this.#window = new SendWindow(this.#window);
    this.#forget(position);
    this.#isWanted = false;
    if (this.#isAttached && this.#window instanceof SendWindow)
      this.#window.onAck(now, position, this.#cursor - 1, bytesBefore - this.unconfirmedBytes);
    this.#findEasy();
    return this.#tokens === null ? NO_TOKENS : this.#takeTokens(this.#tokens, position);
  }

  /** Forgets the messages up to a position. */
  #forget(position: number): void {
    this.#kept?.drop(this.first, position);
    this.#confirmed = position;
    if (position === this.#sent) this.#kept = null;
  }

  #takeTokens(tokens: Map<number, Token>, upTo: number): readonly Token[] {
    const taken: Token[] = [];
    for (const [position, token] of tokens) {
      if (position > upTo) break;
      taken.push(token);
      tokens.delete(position);
    }
    if (tokens.size === 0) this.#tokens = null;
    return taken;
  }

  #failStreams(): readonly Token[] {
    const failed: Token[] = [];
    for (let position = this.#cursor; position <= this.#newestStream; position++) {
      if (this.#kept?.gapAt(position) !== "streamed") continue;
      this.#kept.skip(position);
      const token = this.#tokens?.get(position);
      if (token !== undefined) failed.push(token);
      this.#tokens?.delete(position);
    }
    return failed;
  }

  #isSkipped(position: number): boolean {
    return this.#kept?.gapAt(position) === "skipped";
  }

  /** Counts the positions that are not skipped. */
  #count(from: number, to: number): number {
    let count = 0;
    for (let position = from; position <= to; position++) if (!this.#isSkipped(position)) count++;
    return count;
  }
}
