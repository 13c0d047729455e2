// A counted stream in both directions: sends 1, 2, 3, … to everybody who is connected, and records the numbers that each
// path has sent.

import type { ServerConnection } from "holdfast";

export class Feed {
  readonly #connections = new Set<ServerConnection>();
  readonly #received = new Map<string, number[]>();

  /** Sends the numbers up to `total`, one every `interval` milliseconds. */
  start(total: number, interval: number): void {
    let number = 0;
    const timer = setInterval(() => {
      number++;
      // A connection that has ended misses this number. A session keeps it.
      for (const connection of this.#connections) void connection.send(String(number)).catch(() => undefined);
      if (number === total) clearInterval(timer);
    }, interval);
  }

  /** Resolves when the connection, or its session, has ended. */
  async serve(connection: ServerConnection, path: string): Promise<void> {
    this.#connections.add(connection);
    const received = this.#received.get(path) ?? [];
    this.#received.set(path, received);
    await connection.forEach((message) => {
      if (message === "tally") return connection.send(JSON.stringify(received));
      received.push(Number(message));
      return undefined;
    });
    this.#connections.delete(connection);
  }
}
