// The connection that messages are sent on: the current one, or the next one that opens.

import type { Connection } from "../../index.js";

export class CurrentConnection {
  #connection: Connection | null = null;
  #isOver = false;
  #waiting: ((connection: Connection | null) => void)[] = [];

  get connection(): Connection | null {
    return this.#connection;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  onOpen(connection: Connection): void {
    this.#connection = connection;
    this.#settle(connection);
  }

  onDisconnected(): void {
    this.#connection = null;
  }

  /** The last connection has ended. */
  onOver(): void {
    this.#isOver = true;
    this.#settle(null);
  }

  /** Resolves at once if a connection is open; otherwise with the next one, or null if none follows. */
  open(): Promise<Connection | null> {
    if (this.#connection?.state === "open" || this.#isOver) return Promise.resolve(this.#connection);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #settle(connection: Connection | null): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(connection);
  }
}
