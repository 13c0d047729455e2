// Delays the answer to the peer's Close, within limits, while a reader may still want to reply to the messages before it
// (RFC 6455 section 5.5.1 lets an endpoint finish first).

import type { CloseFrame } from "../shared/close-code.js";
import { Deadline } from "./timer-queue.js";
import type { MessageTransport } from "./message-transport.js";
import type { ConnectionCore } from "./connection-core.js";

/** Milliseconds within which an active reader is expected to read the next message. */
export const READER_GRACE = 1_000;

/**
 * Milliseconds that the answer waits at most without a `closeTimeout`. With one, the readers get half of it, and the
 * round trip to the peer the rest.
 */
const WITHOUT_TIMEOUT = 5_000;

export class CloseReply extends Deadline {
  readonly close: CloseFrame;
  readonly #handler: ConnectionCore;
  readonly #transport: MessageTransport;
  readonly #latest: number;
  /** The number of unread messages at the last check. */
  #unread: number;
  #isSent = false;
  /** The peer has ended its side of the stream as well. */
  #isLast = false;

  /** Returns null if no reader is active, so that the answer can be sent now. */
  static begin(close: CloseFrame, transport: MessageTransport, handler: ConnectionCore): CloseReply | null {
    const now = handler.now();
    return handler.inbox.busyUntil(now, handler.openedAt) <= now
      ? null
      : new CloseReply(close, transport, handler, now);
  }

  private constructor(close: CloseFrame, transport: MessageTransport, handler: ConnectionCore, now: number) {
    super();
    this.close = close;
    this.#handler = handler;
    this.#transport = transport;
    const { inbox, settings } = handler;
    this.#latest = now + (settings.closeTimeout === null ? WITHOUT_TIMEOUT : settings.closeTimeout / 2);
    this.#unread = inbox.length;
    inbox.whenRead(() => this.send(false));
    this.#wait(now);
  }

  get isSent(): boolean {
    return this.#isSent;
  }

  /** The peer ended its side of the stream. Returns true if ours must stay open for the answer. */
  onEof(): boolean {
    if (this.#isSent) return false;
    this.#isLast = true;
    if (this.#handler.inbox.presence === "nobody") this.send(false);
    return true;
  }

  /** Sends the answer after the queued messages, or, if it `isLate`, instead of them. */
  send(isLate: boolean): void {
    if (this.#isSent) return;
    this.#isSent = true;
    const { inbox, timers } = this.#handler;
    inbox.whenRead(null);
    timers.set(this, this.#latest);
    this.#transport.queueClose(this.close, isLate);
    if (this.#isLast) this.#transport.end();
  }

  /** The connection has ended. */
  cancel(): void {
    this.#isSent = true;
    this.#handler.timers.cancel(this);
    this.#handler.inbox.whenRead(null);
  }

  onAlarm(now: number): void {
    if (this.#isSent) {
      this.#transport.hurryClose?.();
      return;
    }
    const { inbox, openedAt } = this.#handler;
    const isStuck = inbox.length > 0 && inbox.length === this.#unread;
    this.#unread = inbox.length;
    const isOver = now >= this.#latest || isStuck || inbox.busyUntil(now, openedAt) <= now;
    if (isOver) this.send(true);
    else this.#wait(now);
  }

  #wait(now: number): void {
    const { inbox, timers, openedAt } = this.#handler;
    timers.set(this, Math.min(this.#latest, inbox.busyUntil(now, openedAt)));
  }
}
