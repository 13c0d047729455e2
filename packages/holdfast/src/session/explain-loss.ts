// Explains why a session was lost, and what to do about it.

import { SessionLostError, type SessionLoss } from "../shared/session-errors.js";

/** Two sentences: what happened, and what to do. */
export function explainLoss(reason: SessionLoss): string {
  return EXPLANATIONS[reason];
}

/** The error that reports a loss to senders and in `closed`. */
export function sessionLostError(
  reason: SessionLoss,
  counts: { readonly unsent: number; readonly unknown: number },
  cause?: unknown,
): SessionLostError {
  const { unsent, unknown } = counts;
  const message = `${explainLoss(reason)} Messages that were not sent: ${unsent}; that may have arrived: ${unknown}.`;
  return new SessionLostError(
    message,
    { reason, unsent, unknown },
    ...(cause === undefined ? [] : [{ cause }]),
  );
}

const EXPLANATIONS: Readonly<Record<SessionLoss, string>> = {
  evicted:
    "The server dropped the session to stay within its memory for sessions. Increase `sessions.memory`, or shorten `retain`.",
  expired:
    "The session was detached for longer than the server keeps it. Increase `sessions.retain` or `maxLifetime`.",
  forbidden:
    "The session belongs to another owner. Check that the user is the same as when the session began.",
  moved: "Another socket has taken the session over. Use one client for each session.",
  overflow:
    "More was sent while the session was detached than its window holds. Increase `window`, or send less while the peer is away.",
  position:
    "The two ends disagree on what was received, so messages cannot be replayed. Check that no end was restored from an old copy.",
  store: "The server could not read or write the session in its store. Check the server's log.",
  unknown:
    'The server does not know the session. It may have restarted: configure `sessions.durability: "shutdown"` and a store to survive that.',
};
