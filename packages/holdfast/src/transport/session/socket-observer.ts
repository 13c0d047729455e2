// Observes the connections of the sockets of a server's sessions: one object for all of them, which finds the session
// through the link.

import type { Suspicion } from "../../heartbeat/adaptive-detection.js";
import type { CloseFrame } from "../../shared/close-code.js";
import type { CloseInfo } from "../../connection/close-info.js";
import type { ConnectionCore } from "../../connection/connection-core.js";
import type { ConnectionObserver } from "../../connection/connection-observer.js";
import { NOTHING_UNREAD } from "../../connection/reading/inbox.js";
import type { Listeners } from "../../connection/listeners.js";
import type { LinkOwner, SessionLink } from "./session-link.js";

export const SOCKET_OBSERVER: ConnectionObserver = {
  /** The session's inbox holds the messages. */
  unread: NOTHING_UNREAD,

  take(): boolean {
    return true; // The SessionLink passes messages to the session directly.
  },

  end(): void {
    // `onEnded` follows.
  },

  fail(): void {
    // Not called: the connection's inbox never holds a message.
  },

  onPing(payload: Uint8Array, core: ConnectionCore): void {
    listenersOf(core)?.emit("ping", { payload });
  },

  onPong(payload: Uint8Array, roundTrip: number | null, core: ConnectionCore): void {
    listenersOf(core)?.emit("pong", { payload, roundTrip });
  },

  onSuspended(gap: number, core: ConnectionCore): void {
    listenersOf(core)?.emit("suspended", { gap });
  },

  onOverdue(elapsed: number, expected: number, core: ConnectionCore): void {
    listenersOf(core)?.emit("overdue", { elapsed, expected });
  },

  onSuspect(suspicion: Suspicion, core: ConnectionCore): void {
    listenersOf(core)?.emit("suspect", suspicion);
  },

  onClosingBegun(core: ConnectionCore): void {
    core.resumeReading(); // Messages without room in the session's inbox do not count. It may pause reading again.
  },

  onClosing(close: CloseFrame, core: ConnectionCore): void {
    const session = ownerOf(core);
    if (session === null) core.answerClose();
    else session.onLinkClosing(close);
  },

  onClosed(close: CloseFrame, initiator: "local" | "peer", core: ConnectionCore): void {
    if (initiator === "local") ownerOf(core)?.onLinkClosed(close);
  },

  onEnded(info: CloseInfo, core: ConnectionCore): void {
    ownerOf(core)?.onLinkEnded(info);
  },
};

/** The session that uses the socket; null for none, or if it uses another one by now. */
function ownerOf({ transport }: ConnectionCore): LinkOwner | null {
  return (transport as SessionLink).owner; // Only such connections get this observer.
}

function listenersOf(core: ConnectionCore): Listeners | null {
  return ownerOf(core)?.listeners ?? null;
}
