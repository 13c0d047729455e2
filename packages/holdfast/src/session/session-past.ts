// The past of a server's session: the same object for all that have had one socket, and nothing else.

import type { SessionLoss } from "../shared/session-errors.js";

/** A number for each link of a session within a process. */
export type Attachment = number;

export type ServerSessionState = "attached" | "detached" | "ended";

export interface Past {
  readonly state: ServerSessionState;
  /** The number of the newest link; 0 before the first. */
  readonly attachment: Attachment;
  /** Of the store: the process with the newest generation holds the session. Starts at 1. */
  readonly generation: number;
  /** Epoch milliseconds; null while attached. */
  readonly deadline: number | null;
  /** The same on the monotonic clock, which nobody sets; null while attached, or if another process has detached it. */
  readonly expiry: number | null;
  /** The expiry was put off, since this process could not run. */
  readonly isProlonged: boolean;
  readonly loss: SessionLoss | null;
  /** ATTEMPT of the newest `resume`. */
  readonly attempt: number;
}

/** Of a session that has had no socket yet. */
export const NO_PAST: Past = {
  state: "detached",
  attachment: 0,
  generation: 1,
  deadline: null,
  expiry: null,
  isProlonged: false,
  loss: null,
  attempt: 0,
};

/** Of a session that has its first socket. */
export const FIRST_SOCKET: Past = { ...NO_PAST, state: "attached", attachment: 1 };

/** Milliseconds by which timers of a busy process may be late. */
const STALL = 1_000;

/** The socket is gone: the session expires after `retain`, and at the end of its lifetime at the latest. */
export function detached(
  past: Past,
  now: number,
  wallNow: number,
  retain: number,
  lifetimeEnd: number,
): Past {
  const deadline = Math.min(wallNow + retain, lifetimeEnd);
  return { ...past, state: "detached", deadline, expiry: now + retain, isProlonged: false };
}

/** As `ServerSession.prolong`; the same object if it expires now. */
export function prolonged(
  past: Past,
  now: number,
  wallNow: number,
  retain: number,
  lifetimeEnd: number,
): Past {
  const late = now - (past.expiry ?? now);
  if (past.isProlonged || late < STALL) return past;
  return { ...detached(past, now, wallNow, Math.min(late, retain), lifetimeEnd), isProlonged: true };
}
