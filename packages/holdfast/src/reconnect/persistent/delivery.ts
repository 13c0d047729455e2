// A message that was passed to a connection. It counts as sent once the socket has accepted it and the connection has
// room for more. The connection may end before that.

import type { Connection } from "../../connection/connection.js";
import { coreOf } from "../../connection/core-of.js";
import type { SendObserver } from "../../connection/message-transport.js";
import { ConnectionClosed } from "../../connection/errors.js";
import { NotSentError } from "../../connection/sending/not-sent-error.js";
import { errorOf } from "../../shared/thrown.js";
import type { OutgoingMessage } from "./outgoing-message.js";

export class Delivery implements SendObserver {
  readonly message: OutgoingMessage;
  /** Resolves when the connection has room for more messages, or when this message cannot be sent. */
  readonly whenWritable: Promise<void>;
  readonly #onSettled: (delivery: Delivery) => void;
  /** The session keeps the message, and sends it again after a cut. */
  readonly #isKept: boolean;
  #isHandedOver = false;
  #isAccepted = false;
  #isOver = false;

  constructor(message: OutgoingMessage, connection: Connection, onSettled: (delivery: Delivery) => void) {
    this.message = message;
    this.#onSettled = onSettled;
    const { data, mayEncode, signal, until } = message;
    this.#isKept = connection.session !== null;
    this.whenWritable = coreOf(connection)
      .send(data, { mayEncode, signal, until, receipt: this })
      .then(
        () => this.#onAccepted(),
        (error: unknown) => this.#onRejected(error),
      );
  }

  onHandedOver(): void {
    this.#isHandedOver = true;
    if (this.#isAccepted) this.#settle(null);
  }

  /** The connection has ended: returns the message if no byte of it was sent; otherwise settles it. */
  withdraw(cause: Error): OutgoingMessage | null {
    if (!this.#isHandedOver) {
      this.#isOver = true;
      return this.message;
    }
    if (!this.#isKept) this.#settle(new NotSentError("lost", "unknown", cause));
    else if (this.message.until === "sent") this.#settle(null);
    return null; // Otherwise the session settles it.
  }

  #onAccepted(): void {
    this.#isAccepted = true;
    if (this.#isHandedOver) this.#settle(null);
  }

  #onRejected(error: unknown): void {
    // When the connection ends, `withdraw` settles all its messages together.
    if (this.#isOver || errorOf(error) instanceof ConnectionClosed) return;
    const { signal } = this.message;
    const isAborted = signal?.aborted === true && error === signal.reason;
    // Any other error concerns the argument: text that is not UTF-8.
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
