// Decides when to answer the peer's Close, while a reader may still want to reply to the messages before it (RFC 6455
// section 5.5.1 lets an endpoint finish first).

import type { Closing } from "./closing.js";
import type { ConnectionCore } from "../connection-core.js";
import { longestWait } from "../longest-wait.js";
import { Deadline } from "../timer-queue.js";

export class CloseReply extends Deadline {
  readonly #closing: Closing;
  readonly #core: ConnectionCore;
  readonly #latest: number;
  /** The number of unread messages at the last check. */
  #unread: number;

  /** Returns null if no reader is active, so that the answer can be sent now. */
  static begin(closing: Closing, core: ConnectionCore): CloseReply | null {
    const now = core.now();
    return core.inbox.busyUntil(now, core.openedAt) <= now ? null : new CloseReply(closing, core, now);
  }

  private constructor(closing: Closing, core: ConnectionCore, now: number) {
    super();
    this.#closing = closing;
    this.#core = core;
    const { inbox, settings } = core;
    this.#latest = now + longestWait(settings);
    this.#unread = inbox.length;
    inbox.whenRead(() => closing.answer(false));
    this.#wait(now);
  }

  onAnswered(): void {
    this.#core.inbox.whenRead(null);
    this.#core.timers.set(this, this.#latest);
  }

  /** The connection has ended. */
  cancel(): void {
    this.#core.inbox.whenRead(null);
    this.#core.timers.cancel(this);
  }

  onAlarm(now: number): void {
    const { inbox, openedAt, transport } = this.#core;
    if (!this.#closing.isAnswerable) {
      transport.hurryClose?.();
      return;
    }
    const isStuck = inbox.length > 0 && inbox.length === this.#unread;
    this.#unread = inbox.length;
    if (now >= this.#latest || isStuck || inbox.busyUntil(now, openedAt) <= now) this.#closing.answer(true);
    else this.#wait(now);
  }

  #wait(now: number): void {
    const { inbox, timers, openedAt } = this.#core;
    timers.set(this, Math.min(this.#latest, inbox.busyUntil(now, openedAt)));
  }
}
