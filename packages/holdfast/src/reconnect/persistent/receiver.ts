// The receiving half of a persistent connection: the messages of all its connections go into one inbox. While that is
// full, reading from the current connection pauses.

import type { Connection } from "../../connection/connection.js";
import { coreOf } from "../../connection/core-of.js";
import type { ConnectionCore } from "../../connection/connection-core.js";
import { Inbox, type InboxHandler, type Message, type Unread } from "../../connection/reading/inbox.js";
import type { Runtime } from "../../connection/runtime.js";
import type { ConnectionObserver } from "../../connection/connection-observer.js";
import type { TimerQueue } from "../../connection/timer-queue.js";
import type { InboxLimits } from "../../connection/reading/unread-queue.js";

export class Receiver implements ConnectionObserver, InboxHandler {
  readonly inbox: Inbox;
  readonly keepsUnread = true;
  readonly #runtime: Runtime;
  /** The core of the current connection; null for none. */
  #core: ConnectionCore | null = null;
  #isFull = false;

  constructor(runtime: Runtime, limits: InboxLimits) {
    this.#runtime = runtime;
    this.inbox = new Inbox(this, limits);
  }

  /**
   * Takes over the messages that the connection has received so far, and those that follow.
   * @throws ConcurrencyError if another reader uses the connection
   */
  attach(connection: Connection): void {
    this.#core = coreOf(connection);
    this.#core.attachObserver(this);
    if (this.#isFull) this.#core.pauseReading();
  }

  /** Whether the connection is ending, so that reading cannot pause, and there is no room for its messages. */
  get isRefusing(): boolean {
    return this.#isFull && this.#core !== null && this.#core.state !== "open";
  }

  /** The connection has ended. */
  detach(): void {
    this.#core = null;
  }

  /** No connection will follow. */
  finish(): void {
    this.inbox.end();
  }

  get timers(): TimerQueue {
    return this.#runtime.timers;
  }

  get lastReceivedAt(): number {
    return this.#core?.lastReceivedAt ?? -Infinity;
  }

  now(): number {
    return this.#runtime.clock.now();
  }

  pauseReading(): void {
    this.#isFull = true;
    this.#core?.pauseReading();
  }

  resumeReading(): void {
    this.#isFull = false;
    this.#core?.resumeReading();
  }

  onInboxStretched(): void {
    this.#isFull = false;
    this.#core?.onInboxStretched();
  }

  onDropping(): void {
    // A later reader gets an InvalidStateError.
  }

  // ConnectionObserver

  get unread(): Unread {
    return this.inbox;
  }

  take(message: Message): boolean {
    this.inbox.push(message);
    return true;
  }

  end(): void {
    // Another connection may follow.
  }

  fail(): void {
    // Not called: the core marks the connection as read when it opens, so that no message is dropped.
  }

  onClosingBegun(): void {
    // While the inbox is full, reading stays paused. `beginClosing` of its queue limits that once no connection follows.
  }

  /** Answers the Close at once, so that later messages wait for the next connection instead of being lost. */
  onClosing(): void {
    this.#core?.answerClose();
  }
}
