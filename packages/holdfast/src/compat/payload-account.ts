// Counts unsent payload where the connection counts other bytes as well: those of framing, or of link messages.

import { inNextTask } from "./next-task.js";

/**
 * Counts the payload since the connection last had no bytes. The smaller of that and its own number is right: exactly if
 * nothing or everything has left, and within the size of the other bytes otherwise.
 */
export class PayloadAccount {
  readonly #connection: { readonly bufferedAmount: number };
  #payload = 0;
  /** The connection has passed on bytes in this task, which still count until the next one. */
  #isFixed = false;

  constructor(connection: { readonly bufferedAmount: number }) {
    this.#connection = connection;
  }

  get unsent(): number {
    if (!this.#isFixed) this.#payload = Math.min(this.#payload, this.#connection.bufferedAmount);
    return this.#payload;
  }

  /** Calls `send`, which sends a message of `size` bytes. */
  count(size: number, send: () => void): void {
    this.#payload = this.unsent + size;
    send();
    if (this.#isFixed || this.#connection.bufferedAmount >= this.#payload) return;
    this.#isFixed = true;
    inNextTask(() => (this.#isFixed = false));
  }
}
