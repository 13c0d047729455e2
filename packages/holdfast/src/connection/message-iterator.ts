// `for await (const message of connection)`. Queued messages cost one promise each; an async generator would cost half
// again as much.

import { rejectToCaller } from "./caller-stack.js";
import type { Message, Reader } from "./inbox.js";
import type { ReadableConnection } from "./readers.js";

type Result = IteratorResult<Message, undefined>;

export class MessageIterator implements AsyncIterator<Message, undefined>, Reader {
  readonly #connection: ReadableConnection;
  #resolve: (result: Result | PromiseLike<never>) => void = ignore;

  constructor(connection: ReadableConnection) {
    this.#connection = connection;
  }

  next(): Promise<Result> {
    const { inbox } = this.#connection;
    if (inbox.length > 0 && !inbox.hasReader) {
      return Promise.resolve({ value: inbox.poll("reader") ?? "", done: false });
    }
    return new Promise((resolve) => {
      inbox.checkFree("iteration"); // Before the one that waits is forgotten.
      this.#resolve = resolve;
      inbox.attach(this, "iteration");
    });
  }

  /** The loop was left. */
  return(): Promise<Result> {
    const { inbox } = this.#connection;
    if (!inbox.hasReader) inbox.noteReader("caller");
    return Promise.resolve({ value: undefined, done: true });
  }

  take(message: Message): boolean {
    this.#connection.inbox.detach(this);
    this.#connection.inbox.noteReader("reader");
    this.#resolve({ value: message, done: false });
    return false;
  }

  end(): void {
    if (this.#connection.hasEndedWell) this.#resolve({ value: undefined, done: true });
    else this.#resolve(rejectToCaller(this.#connection.closedError()));
  }

  fail(error: Error): void {
    this.#resolve(rejectToCaller(error));
  }
}

function ignore(): void {
  // Nobody waits yet.
}
