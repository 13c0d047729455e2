// The error of a message that was not sent, or of which nobody can tell.

import { HoldfastError } from "../../shared/errors.js";

/**
 * What is known of a message that was not sent: `"unsent"`: no byte of it was handed to a socket, so that it can be
 * sent again without the peer getting it twice. `"unknown"`: it was handed to a socket that ended before it had taken
 * it: the peer may have got all of it, or nothing.
 */
export type NotSentOutcome = "unknown" | "unsent";

/**
 * Why: the `signal` of the call was aborted; its time to live was over; the queue was full; there was no connection,
 * and `offline` is `"reject"`; the connection was lost while it was being sent; or the persistent connection is closed.
 */
export type NotSentReason = "aborted" | "closed" | "expired" | "lost" | "offline" | "overflow";

/** A message of a `PersistentConnection` was not sent, or perhaps not. */
export class NotSentError extends HoldfastError {
  static {
    this.prototype.name = "NotSentError";
  }

  /** Whether it is safe to send it again. */
  readonly outcome: NotSentOutcome;
  readonly reason: NotSentReason;

  /** @param cause the reason of an abort, or what ended the connection */
  constructor(reason: NotSentReason, outcome: NotSentOutcome, cause?: unknown) {
    const message = `${SENTENCES[reason]}; ${CONSEQUENCES[outcome]}`;
    const options = { code: "ERR_HOLDFAST_NOT_SENT" } as const;
    super(message, cause === undefined ? options : { ...options, cause });
    this.reason = reason;
    this.outcome = outcome;
  }
}

const SENTENCES: Readonly<Record<NotSentReason, string>> = {
  aborted: "The signal of send() was aborted before the message had left",
  closed: "The persistent connection is closed, so that nothing can be sent",
  expired: "The message was not sent within its `timeToLive`",
  lost: "The connection was lost before the socket had taken the message",
  offline: 'There is no connection at the moment, and `offline` is "reject"',
  overflow:
    'The queue of messages is full: wait for send(), raise `queue`, or set `overflow` to "drop-oldest"',
};

const CONSEQUENCES: Readonly<Record<NotSentOutcome, string>> = {
  unsent: "no byte of it was sent",
  unknown: "the peer may have got it, or not",
};
