// A message that was handed to a connection. It is sent once it was handed to the socket and the connection has room
// for more; until then its connection may end.

import { coreOf, type Connection } from "../../connection/connection.js";
import type { SendObserver } from "../../connection/message-transport.js";
import { ConnectionClosed } from "../../connection/errors.js";
import { NotSentError } from "./not-sent-error.js";
import type { OutgoingMessage } from "./outgoing-message.js";

export class Delivery implements SendObserver {
  readonly message: OutgoingMessage;
  /** Resolves when the connection has room for more, or when nothing will become of this one. */
  readonly paced: Promise<void>;
  readonly #onSettled: (delivery: Delivery) => void;
  #isHandedOver = false;
  #isTaken = false;
  #isOver = false;

  constructor(message: OutgoingMessage, connection: Connection, onSettled: (delivery: Delivery) => void) {
    this.message = message;
    this.#onSettled = onSettled;
    const { data, mayEncode, signal } = message;
    this.paced = coreOf(connection)
      .send(data, { mayEncode, signal, receipt: this })
      .then(
        () => this.#onTaken(),
        (error: unknown) => this.#onRefused(error),
      );
  }

  onHandedOver(): void {
    this.#isHandedOver = true;
    if (this.#isTaken) this.#settle(null);
  }

  /** Its connection is gone: returns the message where no byte of it was sent, and settles it otherwise. */
  withdraw(cause: Error): OutgoingMessage | null {
    if (!this.#isHandedOver) {
      this.#isOver = true;
      return this.message;
    }
    this.#settle(new NotSentError("lost", "unknown", cause));
    return null;
  }

  #onTaken(): void {
    this.#isTaken = true;
    if (this.#isHandedOver) this.#settle(null);
  }

  #onRefused(error: unknown): void {
    // The end of the connection is told to all of its messages together, by `withdraw`.
    if (this.#isOver || error instanceof ConnectionClosed) return;
    const { signal } = this.message;
    const isAborted = signal?.aborted === true && error === signal.reason;
    // Anything else is an argument that turned out to be none: text that is not UTF-8.
    this.#settle(isAborted ? new NotSentError("aborted", "unsent", error) : (error as Error));
  }

  #settle(error: Error | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onSettled(this);
    if (error === null) this.message.sent();
    else this.message.fail(error);
  }
}
