// A counted stream: sends 1, 2, 3, … to everybody who is connected.

import type { ServerConnection } from "holdfast";

/** Milliseconds between two numbers. */
const INTERVAL = 100;

export class Feed {
  readonly #connections = new Set<ServerConnection>();
  readonly #timer: NodeJS.Timeout;
  #number = 0;

  constructor() {
    this.#timer = setInterval(() => this.#send(), INTERVAL);
  }

  /** The newest number; 0 before the first. */
  get number(): number {
    return this.#number;
  }

  /** Resolves when the connection, or its session, has ended. */
  async serve(connection: ServerConnection): Promise<void> {
    this.#connections.add(connection);
    await connection.closed;
    this.#connections.delete(connection);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #send(): void {
    this.#number++;
    // `closed` reports the end. A session keeps what its page has not confirmed.
    for (const connection of this.#connections) connection.send(String(this.#number)).catch(() => undefined);
  }
}
