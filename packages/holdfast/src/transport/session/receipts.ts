// Resolves sends once it is known whether the peer has received their messages.

import { NotSentError, type NotSentReason } from "../../connection/sending/not-sent-error.js";
import { Deferred, quietly } from "../../shared/deferred.js";
import type { Outcome, Token } from "../../session/send-ledger.js";

/** The token of a message in the ledger: hears whether the message was delivered. */
export interface DeliveryObserver {
  /** The peer has confirmed it. */
  onConfirmed(): void;
  /** The session, or the socket of a streamed message, ended before the peer had confirmed it. */
  onLost(outcome: Outcome, reason?: NotSentReason): void;
}

/** Settles once it is known whether the peer has received the message. */
export class Receipt extends Deferred implements DeliveryObserver {
  constructor() {
    super();
    void quietly(this.promise); // A failed send that nobody awaits must not end the process.
  }

  onConfirmed(): void {
    this.resolve();
  }

  onLost(outcome: Outcome, reason?: NotSentReason): void {
    this.reject(notDelivered(outcome, reason));
  }
}

/** The error of a message that was not delivered, or may not have been. */
export function notDelivered(outcome: Outcome, reason: NotSentReason = "session-lost"): NotSentError {
  return new NotSentError(reason, outcome);
}

/** An abort takes a message back that waits. One that is counted is not: that has an error of its own. */
export function explainAbort(sent: Promise<void>, signal: AbortSignal): Promise<void> {
  const explained = sent.catch((error: unknown) => {
    throw error === signal.reason ? new NotSentError("aborted", "unsent", error) : error;
  });
  return quietly(explained);
}

/** The error of a message in fragments whose socket is gone. */
export function cutOff(): NotSentError {
  return notDelivered("unsent", "lost");
}

export function confirm(tokens: readonly Token[]): void {
  for (const token of tokens) observerOf(token).onConfirmed();
}

/** Every token of the ledger is a DeliveryObserver. */
export function observerOf(token: Token): DeliveryObserver {
  return token as DeliveryObserver;
}
