// When the peer's Close is answered. Messages that precede it may still be with a reader, who may want to answer them:
// the reply waits for that reader (RFC 6455 section 5.5.1 lets an endpoint finish first), and not for ever.

import type { CloseFrame } from "../shared/close-code.js";
import type { Inbox } from "./inbox.js";
import { Deadline, type TimerQueue } from "./timer-queue.js";
import type { MessageTransport } from "./message-transport.js";

/** Milliseconds within which a reader that may be at work is expected to read on. */
export const READER_GRACE = 1_000;

/** Half of `closeTimeout` for the readers, the rest for the way to the peer and back. Where there is no timeout, this. */
const WITHOUT_TIMEOUT = 5_000;

/** What the reply needs of its connection. */
export interface CloseReplyHost {
  readonly inbox: Inbox;
  readonly timers: TimerQueue;
  /** When the connection opened: nobody may have had the time to begin reading. */
  readonly openedAt: number;
  readonly settings: { readonly closeTimeout: number | null };
  now(): number;
}

export class CloseReply extends Deadline {
  readonly close: CloseFrame;
  readonly #host: CloseReplyHost;
  readonly #wire: MessageTransport;
  readonly #latest: number;
  /** Messages that waited when the reader was looked at last. */
  #unread: number;
  #isSent = false;
  /** The peer has ended its side of the stream as well. */
  #isLast = false;

  /** Begins to wait, if there is somebody to wait for. Returns null where the reply can go out now. */
  static begin(close: CloseFrame, wire: MessageTransport, host: CloseReplyHost): CloseReply | null {
    const now = host.now();
    return host.inbox.busyUntil(now, host.openedAt) <= now ? null : new CloseReply(close, wire, host, now);
  }

  private constructor(close: CloseFrame, wire: MessageTransport, host: CloseReplyHost, now: number) {
    super();
    this.close = close;
    this.#host = host;
    this.#wire = wire;
    const { inbox, settings } = host;
    this.#latest = now + (settings.closeTimeout === null ? WITHOUT_TIMEOUT : settings.closeTimeout / 2);
    this.#unread = inbox.length;
    inbox.whenRead(() => this.send(false));
    this.#wait(now);
  }

  get isSent(): boolean {
    return this.#isSent;
  }

  /** The peer ended its side of the stream. Returns whether our end of it has to wait for the reply. */
  onEof(): boolean {
    if (this.#isSent) return false;
    this.#isLast = true;
    if (this.#host.inbox.presence === "nobody") this.send(false);
    return true;
  }

  /** Replies behind what was sent before, or, where that `isLate`, instead of what waits. */
  send(isLate: boolean): void {
    if (this.#isSent) return;
    this.#isSent = true;
    const { inbox, timers } = this.#host;
    inbox.whenRead(null);
    timers.set(this, this.#latest);
    this.#wire.queueClose(this.close, isLate);
    if (this.#isLast) this.#wire.end();
  }

  /** The connection is gone. */
  cancel(): void {
    this.#isSent = true;
    this.#host.timers.cancel(this);
    this.#host.inbox.whenRead(null);
  }

  onAlarm(now: number): void {
    if (this.#isSent) {
      this.#wire.hurryClose?.();
      return;
    }
    const { inbox, openedAt } = this.#host;
    const isStuck = inbox.length > 0 && inbox.length === this.#unread;
    this.#unread = inbox.length;
    const isOver = now >= this.#latest || isStuck || inbox.busyUntil(now, openedAt) <= now;
    if (isOver) this.send(true);
    else this.#wait(now);
  }

  #wait(now: number): void {
    const { inbox, timers, openedAt } = this.#host;
    timers.set(this, Math.min(this.#latest, inbox.busyUntil(now, openedAt)));
  }
}
