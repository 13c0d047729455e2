// Receives for a persistent connection: the messages of one connection after the other come into one inbox. While that
// is full, the connection of the moment is not read.

import { coreOf, type Connection } from "../../connection/connection.js";
import {
  Inbox,
  type InboxHandler,
  type InboxLimits,
  type Message,
  type Unread,
} from "../../connection/inbox.js";
import type { Runtime } from "../../connection/runtime.js";
import type { ConnectionObserver, ObservedConnection } from "../../connection/connection-observer.js";
import type { TimerQueue } from "../../connection/timer-queue.js";
import { UnreadWatch, type UnreadWatchHost } from "../../connection/unread-watch.js";

export class Receiver implements ConnectionObserver, InboxHandler, UnreadWatchHost {
  readonly inbox: Inbox;
  readonly #runtime: Runtime;
  readonly #unreadWatch = new UnreadWatch(this);
  #connection: Connection | null = null;
  #tapped: ObservedConnection | null = null;
  #isFull = false;

  constructor(runtime: Runtime, limits: InboxLimits) {
    this.#runtime = runtime;
    this.inbox = new Inbox(this, limits);
  }

  /**
   * Takes what this connection received already, and what it will receive.
   * @throws ConcurrencyError where somebody else reads it
   */
  attach(connection: Connection): void {
    this.#connection = connection;
    this.#tapped = coreOf(connection).attachObserver(this);
    if (this.#isFull) this.#tapped.pauseReading();
  }

  /** The connection is gone. */
  detach(): void {
    this.#connection = null;
    this.#tapped = null;
  }

  /** No connection will follow. */
  finish(): void {
    this.#unreadWatch.stop();
    this.inbox.end();
  }

  get timers(): TimerQueue {
    return this.#runtime.timers;
  }

  get lastReceivedAt(): number {
    return this.#tapped?.lastReceivedAt ?? -Infinity;
  }

  now(): number {
    return this.#runtime.clock.now();
  }

  onInboxFull(): void {
    this.#isFull = true;
    this.#unreadWatch.begin();
    this.#tapped?.pauseReading();
  }

  onInboxBelowLowWater(): void {
    this.#unreadWatch.stop();
    this.onInboxStretched();
  }

  onInboxStretched(): void {
    this.#isFull = false;
    this.#tapped?.resumeReading();
  }

  onDropping(): void {
    // Whoever reads after all is told.
  }

  // What the connection tells.

  get unread(): Unread {
    return this.inbox;
  }

  take(message: Message): boolean {
    // While closing nothing holds the peer back any more, so what exceeds the limits is dropped.
    if (!this.#isFull || this.#connection?.state === "open") this.inbox.push(message);
    return true;
  }

  end(): void {
    // There may be another connection.
  }

  fail(): void {
    // Nothing is dropped before it gets here: the connection counts as read.
  }

  /** At once: what is sent from now on waits for the next connection, and is not lost. */
  onClosing(): void {
    this.#tapped?.answerClose();
  }

  onPing(): void {
    // It is answered already.
  }

  onPong(): void {
    // The connection counts it.
  }

  onSuspended(): void {
    // The connection tells it.
  }

  onClosed(): void {
    // The connection's end follows.
  }

  onFailure(): void {
    // The connection's end follows.
  }

  onDead(): void {
    // The connection's end follows.
  }

  onEnded(): void {
    // The supervisor knows.
  }
}
