// Observes the connection of one socket for the session that is attached to it.

import type { Suspicion } from "../../heartbeat/adaptive-detection.js";
import type { CloseFrame } from "../../shared/close-code.js";
import type { CloseInfo } from "../../connection/close-info.js";
import type { Connection } from "../../connection/connection.js";
import type { ConnectionObserver, ObservedConnection } from "../../connection/connection-observer.js";
import type { Unread } from "../../connection/inbox.js";
import type { Listeners } from "../../connection/listeners.js";

/** The session. Each call concerns the connection that it currently uses, but for `onLinkEnded`. */
export interface LinkObserverHandler {
  /** The listeners of the session's connection; null for none. */
  readonly listeners: Listeners | null;
  isCurrent(connection: Connection): boolean;
  /** The peer's Close waits for an answer. */
  onLinkClosing(close: CloseFrame): void;
  /** Both Close frames were exchanged, ours first. */
  onLinkClosed(close: CloseFrame): void;
  onLinkEnded(connection: Connection, info: CloseInfo): void;
}

const NOTHING_UNREAD: Unread = { length: 0, bytes: 0 };

export class LinkObserver implements ConnectionObserver {
  /** The session's inbox holds the messages. */
  readonly unread = NOTHING_UNREAD;
  /** Set right after the observer was attached. */
  observed: ObservedConnection | null = null;
  readonly #session: LinkObserverHandler;
  readonly #connection: Connection;

  constructor(session: LinkObserverHandler, connection: Connection) {
    this.#session = session;
    this.#connection = connection;
  }

  take(): boolean {
    return true; // The SessionLink passes messages to the session directly.
  }

  end(): void {
    // `onEnded` follows.
  }

  fail(): void {
    // Not called: the connection's inbox never holds a message.
  }

  onPing(payload: Uint8Array): void {
    const listeners = this.#listeners;
    if (listeners?.has("ping") === true) listeners.emit("ping", { payload });
  }

  onPong(payload: Uint8Array, roundTrip: number | null): void {
    const listeners = this.#listeners;
    if (listeners?.has("pong") === true) listeners.emit("pong", { payload, roundTrip });
  }

  onSuspended(gap: number): void {
    const listeners = this.#listeners;
    if (listeners?.has("suspended") === true) listeners.emit("suspended", { gap });
  }

  onOverdue(elapsed: number, expected: number): void {
    const listeners = this.#listeners;
    if (listeners?.has("overdue") === true) listeners.emit("overdue", { elapsed, expected });
  }

  onSuspect(suspicion: Suspicion): void {
    const listeners = this.#listeners;
    if (listeners?.has("suspect") === true) listeners.emit("suspect", suspicion);
  }

  onClosing(close: CloseFrame): void {
    if (this.#isCurrent) this.#session.onLinkClosing(close);
    else this.observed?.answerClose();
  }

  onClosed(close: CloseFrame, initiator: "local" | "peer"): void {
    if (this.#isCurrent && initiator === "local") this.#session.onLinkClosed(close);
  }

  onFailure(): void {
    // The end follows.
  }

  onDead(): void {
    // The end follows.
  }

  onEnded(info: CloseInfo): void {
    this.#session.onLinkEnded(this.#connection, info);
  }

  get #isCurrent(): boolean {
    return this.#session.isCurrent(this.#connection);
  }

  get #listeners(): Listeners | null {
    return this.#isCurrent ? this.#session.listeners : null;
  }
}
