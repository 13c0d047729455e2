// The incoming direction of a session: counts messages, and decides when to acknowledge them: at a quarter of the
// peer's window, otherwise within `ackDelay`, in the same write as anything else that is sent in that turn.

import { SkippedPositions } from "./skipped-positions.js";
import type { SessionWindow } from "./wire.js";

/**
 * When a message is confirmed: once the session's inbox has it (`received`), or once the caller reports `settle()`: for
 * `handled`, that the application has finished with it; for `logged`, that it is in the store. Skipped positions are
 * settled with the message before them, but `logged` ones only by the caller.
 */
export type Acknowledge = "handled" | "logged" | "received";

/**
 * When to acknowledge: now, in this turn; soon, within `ackDelay` (the caller starts a timer); with the next message that
 * is sent (`takeAck("passing")`); or not because of this.
 */
export type AckNeed = "none" | "now" | "passing" | "soon";

/** The part of a record that describes this direction. */
export interface SavedReceipts {
  readonly received: number;
  readonly confirmed: number;
}

export class ReceiveLedger {
  readonly #acknowledge: Acknowledge;
  #quarterMessages: number;
  #quarterBytes: number;
  #received = 0;
  /** Settled, with `handled`; otherwise unused. */
  #settled = 0;
  /** Skipped positions among the newest ones; null for none. They are settled together with the message before them. */
  #skipped: SkippedPositions | null = null;
  /** The position that was confirmed last. */
  #reported = 0;
  /** Payload of the messages that may be confirmed since then. */
  #bytes = 0;
  #isTimerRunning = false;
  /** The peer has sent `want`. */
  #isWanted = false;
  /** Enough was received for an `ack` that passes with what else is sent. */
  #isDue = false;
  /** Before this position, and with fewer bytes than this, another message changes nothing. */
  #nextAt = 0;
  #nextBytes = 0;

  /** `peerWindow` is what the peer may leave unconfirmed. */
  constructor(peerWindow: SessionWindow, acknowledge: Acknowledge) {
    this.#acknowledge = acknowledge;
    this.#quarterMessages = quarterOf(peerWindow.messages);
    this.#quarterBytes = quarterOf(peerWindow.bytes);
  }

  /** The position of the newest message that arrived: RECEIVED of `resume` and `resumed`. */
  get received(): number {
    return this.#received;
  }

  /** The position that `ack` confirms. */
  get confirmable(): number {
    return this.#acknowledge === "received" ? this.#received : this.#settled;
  }

  /** Whether everything is confirmed, the peer knows it, and no timer runs. */
  get isAtRest(): boolean {
    if (this.#acknowledge !== "received" || this.#skipped !== null || this.#isTimerRunning) return false;
    return !this.hasUnreported && !this.#isWanted;
  }

  /** Whether an `ack` would confirm anything new. */
  get hasUnreported(): boolean {
    return this.confirmable !== this.#reported;
  }

  /** The client learns the server's window with `session`. */
  setPeerWindow(window: SessionWindow): void {
    this.#quarterMessages = quarterOf(window.messages);
    this.#quarterBytes = quarterOf(window.bytes);
    this.#note(this.confirmable);
  }

  /**
   * A complete message has arrived on the current link. `length` is in bytes, or in UTF-16 code units for a string. Null if
   * no position is left for it: a protocol error (1002).
   */
  receive(length: number): AckNeed | null {
    if (this.#received === Number.MAX_SAFE_INTEGER) return null;
    this.#received++;
    if (this.#acknowledge !== "received") return "none";
    this.#bytes += length;
    if (this.#received < this.#nextAt && this.#bytes < this.#nextBytes) return "none";
    return this.#need(this.#received);
  }

  /** The peer has sent `skip`. Null if there cannot be so many positions: a protocol error (1002). */
  skip(count: number): AckNeed | null {
    const before = this.#received;
    const received = before + count;
    if (!Number.isSafeInteger(received)) return null;
    (this.#skipped ??= new SkippedPositions()).add(before + 1, received);
    this.#received = received;
    if (this.#acknowledge === "received") return this.#need(received);
    return this.#acknowledge === "handled" && this.#settled === before ? this.settle(received, 0) : "none";
  }

  /**
   * The message at this position, and every earlier one, has been handled or logged: not with `received`. `length` is
   * what was settled since the last call.
   */
  settle(position: number, length: number): AckNeed {
    if (this.#acknowledge === "received" || position <= this.#settled || position > this.#received)
      return "none";
    this.#settled = position;
    if (this.#skipped !== null) {
      if (this.#acknowledge === "handled") this.#settled = this.#skipped.endAfter(position);
      if (!this.#skipped.forgetUpTo(this.#settled)) this.#skipped = null;
    }
    this.#bytes += length;
    return this.#need(this.#settled);
  }

  /** The position of the message before the newest `count` messages. */
  positionBefore(count: number): number {
    return this.#skipped === null
      ? this.#received - count
      : this.#skipped.positionBefore(this.#received, count);
  }

  /** The peer has sent `want`. */
  want(): AckNeed {
    this.#isWanted = true;
    return "now";
  }

  /** Whether `takeAck("passing")` returns a position. */
  get isDue(): boolean {
    return this.#isDue || this.#isWanted;
  }

  /**
   * The position to confirm with `ack`; -1 for none. "due" at the need "now", with each ping, and when the timer fires.
   * "passing" when anything else is sent in this turn: a few messages are not worth the bytes of an `ack`.
   */
  takeAck(moment: "due" | "passing"): number {
    if (moment === "passing" && !this.isDue) return -1;
    const position = this.confirmable;
    if (position === this.#reported && !this.#isWanted) return -1;
    this.#noteReported(position);
    return position;
  }

  /** The timer that "soon" has started fired. Returns the position to confirm with `ack`; -1 for none. */
  takeLateAck(): number {
    this.#isTimerRunning = false;
    this.#nextAt = 0;
    return this.takeAck("due");
  }

  /**
   * A new link is in place, and the handshake carries `received` and `confirmable`. The caller has stopped the timer.
   */
  attach(): void {
    this.#isTimerRunning = false; // It ended with the earlier link.
    this.#noteReported(this.confirmable);
  }

  save(): SavedReceipts {
    return { received: this.#received, confirmed: this.confirmable };
  }

  /** Only on a ledger that was just constructed. `unread` are the positions that its owner has not been handed. */
  restore(saved: SavedReceipts, unread: readonly number[] = []): void {
    this.#received = saved.received;
    this.#settled = saved.confirmed;
    let before = unread[0] ?? saved.received;
    for (const position of [...unread, saved.received + 1]) {
      if (position > before + 1) (this.#skipped ??= new SkippedPositions()).add(before + 1, position - 1);
      before = position;
    }
    this.#reported = this.confirmable;
  }

  #need(position: number): AckNeed {
    const isTimerRunning = this.#isTimerRunning;
    const wasDue = this.#isDue;
    const isNow = position - this.#reported >= this.#quarterMessages || this.#bytes >= this.#quarterBytes;
    if (!isNow) this.#isTimerRunning = true;
    this.#note(position);
    if (isNow) return "now";
    if (!isTimerRunning) return "soon";
    return this.#isDue && !wasDue ? "passing" : "none";
  }

  /** `position` may be confirmed. */
  #note(position: number): void {
    const count = position - this.#reported;
    this.#isDue = count > 0 && (count * 4 >= this.#quarterMessages || this.#bytes * 4 >= this.#quarterBytes);
    if (!this.#isTimerRunning) {
      this.#nextAt = 0; // The next message starts the timer.
      return;
    }
    const share = this.#isDue ? 1 : 4;
    this.#nextAt = this.#reported + Math.ceil(this.#quarterMessages / share);
    this.#nextBytes = this.#quarterBytes / share;
  }

  #noteReported(position: number): void {
    this.#reported = position;
    this.#bytes = 0;
    this.#isWanted = false;
    this.#note(position);
  }
}

function quarterOf(size: number): number {
  return Math.max(1, Math.floor(size / 4));
}
