// The port to the carrier of a client's session across the sockets of a persistent connection.

import type { CloseInfo } from "./close-info.js";
import type { Message } from "./reading/inbox.js";
import type { MessageTransportFactory, TransportSession } from "./message-transport.js";
import type { ConnectionSession, SessionLostEvent, SessionResumedEvent } from "./session-state.js";
import type { SavedClientSession } from "../session/client-session.js";
import type { SessionLoss, SessionLostError } from "../shared/session-errors.js";

export interface SessionCarrierSettings {
  /** The limit of unconfirmed messages. */
  readonly window: { readonly messages: number; readonly bytes: number };
  /** Milliseconds within which received messages are acknowledged. */
  readonly ackDelay: number;
  readonly writeLimit: number;
  /** The session to resume, from an earlier client; null for none. */
  readonly saved: SavedClientSession | null;
}

/** Receives the events of the session. */
export interface SessionCarrierHandler {
  /**
   * The session has a socket: a new session if it `isFresh`, otherwise the one before. Returns the messages that arrived
   * earlier, for the connection of this socket.
   */
  onAttached(isFresh: boolean): readonly Message[];
  /** The number of received messages that the application has not taken. */
  readonly unread: number;
  /** Whether there is no room for messages, and reading cannot pause. Messages that are not counted arrive again. */
  readonly isRefusing: boolean;
  onResumed(event: SessionResumedEvent): void;
  /** The session is lost. If `onAttached(true)` follows at once, the same socket carries a new one. */
  onLost(event: SessionLostEvent, error: SessionLostError): void;
}

/** Wraps the transport of a socket whose server has agreed on a session. */
export interface SessionWrapper {
  /**
   * Loads its code, before a socket opens. Absent if it is there.
   * @throws HandshakeError if it cannot be loaded; the next attempt tries again
   */
  load?(): Promise<void>;
  /** Whether there is a session that the server may still have. */
  readonly canResume: boolean;
  over(
    below: MessageTransportFactory,
    pingsAs: "frames" | "messages",
    onWidth: (width: number) => void,
  ): MessageTransportFactory;
}

export interface SessionCarrier extends SessionWrapper {
  /** The session; null before the server has given it an id. */
  readonly state: TransportSession | null;
  /**
   * The same for the application, by the newest message that it took: the session before this one, while messages of that one
   * are unread. `isHandling` says whether the application may still be handling that message.
   */
  shownTo(isHandling: boolean): ConnectionSession | null;
  readonly isAttached: boolean;
  /** Whether the newest socket carries a session, attached or not. */
  readonly hasSocket: boolean;
  /**
   * The socket has ended; after the last one, `end()` follows. Returns true if the session was attached, and can be resumed.
   */
  onSocketEnded(info: CloseInfo, isLast?: boolean): boolean;
  /** The state with which another client resumes the session; null if there is none. Only without a socket. */
  save(): SavedClientSession | null;
  /** The application closes the persistent connection: the next Close ends the session, whatever its code. */
  willEnd(): void;
  /** The server does not continue the session. `unsent` messages that were to be delivered by it are lost as well. */
  abandon(reason: SessionLoss, unsent?: number): void;
  /** The persistent connection has ended. If it was saved, another client continues the session: it is not lost. */
  end(isSaved?: boolean): void;
}
