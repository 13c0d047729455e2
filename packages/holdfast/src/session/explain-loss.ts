// Explains why a session was lost, and what to do about it.

import { SessionLostError, type SessionLoss } from "../shared/session-errors.js";

/** Explains a loss. */
export interface LossExplanation {
  /** A clause without a full stop. */
  readonly happened: string;
  /** A sentence. */
  readonly advice: string;
}

export function explainLoss(reason: SessionLoss): LossExplanation {
  return EXPLANATIONS[reason];
}

/** The error that reports a loss to senders and in `closed`. */
export function sessionLostError(
  reason: SessionLoss,
  { unsent, unknown }: { readonly unsent: number; readonly unknown: number },
): SessionLostError {
  const { happened, advice } = explainLoss(reason);
  const message = `${happened}. ${advice} Messages that were not sent: ${unsent}; that may have arrived: ${unknown}.`;
  return new SessionLostError(message, { reason, unsent, unknown });
}

const EXPLANATIONS: Readonly<Record<SessionLoss, LossExplanation>> = {
  evicted: {
    happened: "The server dropped the session to stay within its memory for sessions",
    advice: "Increase `sessions.memory`, or shorten `retain`.",
  },
  expired: {
    happened: "The session was detached for longer than the server keeps it, or is older than its lifetime",
    advice: "Increase `sessions.retain` or `maxLifetime`.",
  },
  forbidden: {
    happened: "The session belongs to another owner",
    advice: "Check that the user is the same as when the session began, and what `sessions.owner` returns.",
  },
  moved: {
    happened: "Another socket, or another server, has taken the session over",
    advice: "Use one client for each session.",
  },
  overflow: {
    happened: "More was sent while the session was detached than its window holds",
    advice: "Send less while the peer is away, or send the state as a whole after a loss.",
  },
  position: {
    happened: "The two ends disagree on what was received, so that messages cannot be sent again",
    advice: "Check that no end was restored from an old copy.",
  },
  store: {
    happened: "The server could not read or write the session in its store",
    advice: 'Look for "sessions failed" in the server\'s log, with the error of the store.',
  },
  unknown: {
    happened:
      "The server has no such session any more: its code has ended it, or it has restarted, or the client reached another server",
    advice:
      'See the server\'s log whether its handler failed or closed the connection. If it has restarted, configure a store and `sessions.durability`: "shutdown" survives restarts, and "message" a crash as well.',
  },
};
