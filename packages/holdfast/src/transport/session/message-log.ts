// The port to what logs the messages of a session, for `durability: "message"`.

import type { SessionMessageData } from "../../session/session-memory.js";

/** Logs the changes of a turn together. `SessionSender.release` and `settle` follow once they are durable. */
export interface MessageLog {
  /** A message of this end, or null for one that is streamed. It is transmitted once it is durable. */
  onSent(position: number, message: SessionMessageData | null): void;
  /** The peer has confirmed our messages up to this position. */
  onConfirmed(position: number): void;
  /** A message arrived. Bytes must be a copy. */
  onReceived(position: number, message: SessionMessageData): void;
  /** Positions up to this one will not arrive. */
  onSkipped(position: number): void;
  /** The application has been handed what was received up to this position, or has finished with it. */
  onHandled(position: number): void;
}
