// The socket of a server's session: its connection, which this observes for the session, and its link.

import type { Suspicion } from "../../heartbeat/adaptive-detection.js";
import type { CloseFrame } from "../../shared/close-code.js";
import type { CloseInfo } from "../../connection/close-info.js";
import type { ConnectionCore } from "../../connection/connection-core.js";
import type { ConnectionObserver } from "../../connection/connection-observer.js";
import type { Unread } from "../../connection/inbox.js";
import type { Listeners } from "../../connection/listeners.js";
import type { Attachment } from "../../session/server-session.js";
import type { SessionLink } from "./session-link.js";

/** The session. Each call concerns the socket that it currently uses, but for `onLinkEnded`. */
export interface AttachedSocketHandler {
  /** The listeners of the session's connection; null for none. */
  readonly listeners: Listeners | null;
  isCurrent(socket: AttachedSocket): boolean;
  /** The peer's Close waits for an answer. */
  onLinkClosing(close: CloseFrame): void;
  /** Both Close frames were exchanged, ours first. */
  onLinkClosed(close: CloseFrame): void;
  onLinkEnded(socket: AttachedSocket, info: CloseInfo): void;
}

const NOTHING_UNREAD: Unread = { length: 0, bytes: 0 };

export class AttachedSocket implements ConnectionObserver {
  readonly core: ConnectionCore;
  readonly link: SessionLink;
  readonly attachment: Attachment;
  readonly #session: AttachedSocketHandler;

  constructor(
    session: AttachedSocketHandler,
    core: ConnectionCore,
    link: SessionLink,
    attachment: Attachment,
  ) {
    this.#session = session;
    this.core = core;
    this.link = link;
    this.attachment = attachment;
    core.attachObserver(this);
  }

  /** The session's inbox holds the messages. */
  get unread(): Unread {
    return NOTHING_UNREAD;
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
    else this.core.answerClose();
  }

  onClosed(close: CloseFrame, initiator: "local" | "peer"): void {
    if (this.#isCurrent && initiator === "local") this.#session.onLinkClosed(close);
  }

  onEnded(info: CloseInfo): void {
    this.#session.onLinkEnded(this, info);
  }

  get #isCurrent(): boolean {
    return this.#session.isCurrent(this);
  }

  get #listeners(): Listeners | null {
    return this.#isCurrent ? this.#session.listeners : null;
  }
}
