// The parts of a server's session: its keeper, the settings that all sessions share, and its beginning.

import type { ServerSession } from "../../session/server-session.js";
import type { SessionLoss } from "../../shared/session-errors.js";
import type { Connection } from "../../connection/connection.js";
import type { Message } from "../../connection/reading/inbox.js";
import type { Runtime } from "../../connection/runtime.js";
import type { MessageLog } from "./message-log.js";
import type { ServerSessionTransport } from "./server-session-transport.js";
import type { SenderSettings } from "./session-pump.js";

/** Keeps the sessions of a server. */
export interface SessionKeeper {
  /** The server closes: its clients may continue their sessions elsewhere. */
  readonly isClosing: boolean;
  /** The session has lost its socket. */
  onDetached(transport: ServerSessionTransport): void;
  /** The session has ended. */
  onEnded(transport: ServerSessionTransport, loss: SessionLoss | null): void;
  /** A message was kept. */
  onKept(): void;
  /** The session uses this socket from now on, or leaves it open. */
  onSocket(socket: Connection, isUsed: boolean): void;
  /** The alarm of the session, which its keeper sets, has gone off. */
  onAlarm(transport: ServerSessionTransport): void;
}

/** Shared by all sessions without a log. */
export interface ServerSessionTransportOptions extends SenderSettings {
  readonly runtime: Runtime;
  readonly keeper: SessionKeeper;
  /** When a message of the client is confirmed: once it is in the inbox, or once the application has finished with it. */
  readonly acknowledge: "handled" | "received";
  /** Logs each message before it is sent or confirmed; null for none. */
  readonly log: MessageLog | null;
}

/** A session and what it begins with. */
export interface SessionBeginning {
  readonly session: ServerSession;
  /** The connection of the first socket. */
  readonly first: Connection;
  /** Received messages that the application had not been handed when the session was saved. */
  readonly unread: readonly Message[];
}
