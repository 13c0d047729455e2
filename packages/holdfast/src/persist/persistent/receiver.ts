// Receives for a persistent connection: the messages of one connection after the other come into one inbox. While that
// is full, the connection of the moment is not read.

import type { Connection } from "../../connection/connection.js";
import {
  Inbox,
  type InboxEvents,
  type InboxLimits,
  type Message,
  type Unread,
} from "../../connection/inbox.js";
import { attachTap, type Tap, type TappedConnection } from "../../connection/tap.js";

export class Receiver implements Tap, InboxEvents {
  readonly inbox: Inbox;
  #connection: Connection | null = null;
  #tapped: TappedConnection | null = null;
  #isFull = false;

  constructor(limits: InboxLimits) {
    this.inbox = new Inbox(this, limits);
  }

  /**
   * Takes what this connection received already, and what it will receive.
   * @throws ConcurrencyError where somebody else reads it
   */
  attach(connection: Connection): void {
    this.#connection = connection;
    this.#tapped = connection[attachTap](this);
    if (this.#isFull) this.#tapped.pauseReading();
  }

  /** The connection is gone. */
  detach(): void {
    this.#connection = null;
    this.#tapped = null;
  }

  onInboxFull(): void {
    this.#isFull = true;
    this.#tapped?.pauseReading();
  }

  onInboxRoomy(): void {
    this.#isFull = false;
    this.#tapped?.resumeReading();
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
