// The error of a message that was not sent, or may not have been.

import { HoldfastError } from "../../shared/errors.js";

/**
 * Whether the peer may have the message. `"unsent"`: it does not, since no byte reached a socket, or since a session
 * drops an incomplete message, so it can be sent again without the peer receiving it twice. `"unknown"`: the socket ended
 * before it had accepted the whole message, or nobody waits any more until a session has delivered it, so the peer may
 * have received all of it or nothing.
 */
export type NotSentOutcome = "unknown" | "unsent";

/**
 * Why the message was not sent: `"aborted"`: the `signal` of the call aborted; `"expired"`: its `timeToLive` passed;
 * `"overflow"`: the queue was full; `"offline"`: there was no connection, and the option `offline` is `"reject"`;
 * `"lost"`: the connection, or the socket of its session, ended during the send; `"closed"`: the persistent connection is
 * closed; `"session-lost"`: the session was lost before the peer confirmed the message (docs/sessions.md).
 */
export type NotSentReason =
  "aborted" | "closed" | "expired" | "lost" | "offline" | "overflow" | "session-lost";

/** A message of a `PersistentConnection`, or of a session, was not sent, or may not have been. */
export class NotSentError extends HoldfastError {
  static {
    this.prototype.name = "NotSentError";
  }

  /** Whether it is safe to send the message again. */
  readonly outcome: NotSentOutcome;
  readonly reason: NotSentReason;

  /** @param cause the abort reason, or the error that ended the connection */
  constructor(reason: NotSentReason, outcome: NotSentOutcome, cause?: unknown) {
    const message = `${SENTENCES[reason]}; ${CONSEQUENCES[outcome]}.`;
    const options = { code: "ERR_HOLDFAST_NOT_SENT" } as const;
    super(message, cause === undefined ? options : { ...options, cause });
    this.reason = reason;
    this.outcome = outcome;
  }
}

const SENTENCES: Readonly<Record<NotSentReason, string>> = {
  aborted: "The signal of send() aborted",
  closed: "The persistent connection is closed",
  expired: "The message was not sent within its `timeToLive`",
  lost: "The socket ended during send()",
  offline: 'There is no connection, and `offline` is "reject"',
  overflow:
    'The queue of messages is full: wait for send(), raise `queue`, or set `overflow` to "drop-oldest"',
  "session-lost": "The session was lost before the peer confirmed the message",
};

const CONSEQUENCES: Readonly<Record<NotSentOutcome, string>> = {
  unsent: "the peer has not received the message",
  unknown: "the peer may or may not have received it",
};
