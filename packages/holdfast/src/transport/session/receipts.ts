// Resolves sends once it is known whether the peer has received their messages.

import { NotSentError } from "../../connection/not-sent-error.js";
import type { Outcome, Token } from "../../session/send-ledger.js";

/** The token of a message in the ledger: hears whether the message was delivered. */
export interface DeliveryObserver {
  /** The peer has confirmed it. */
  onConfirmed(): void;
  /** The session ended before the peer had confirmed it. */
  onLost(outcome: Outcome): void;
}

/** A promise that is settled from outside. */
export class Settlement {
  readonly promise: Promise<void>;
  resolve!: () => void;
  reject!: (error: Error) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(ignore); // A failed send that nobody awaits must not end the process.
  }
}

/** Settles once it is known whether the peer has received the message. */
export class Receipt extends Settlement implements DeliveryObserver {
  onConfirmed(): void {
    this.resolve();
  }

  onLost(outcome: Outcome): void {
    this.reject(notDelivered(outcome));
  }
}

/** The error of a message that was not delivered, or perhaps not. */
export function notDelivered(outcome: Outcome): NotSentError {
  return new NotSentError("session-lost", outcome);
}

export function confirm(tokens: readonly Token[]): void {
  for (const token of tokens) observerOf(token).onConfirmed();
}

/** Every token of the ledger is a DeliveryObserver. */
export function observerOf(token: Token): DeliveryObserver {
  return token as DeliveryObserver;
}

function ignore(): void {
  // Callers that await the promise still see the error.
}
