// Waits until a replica has confirmed everything written on a connection: `WAIT 1`. That is not consensus: a replica
// that has not confirmed it may be promoted.

import { EngineUnavailableError } from "holdfast/topics";
import type { RedisConnection } from "../client/connection.js";
import { before } from "../routing/deadline.js";
import { noReply } from "../routing/failures.js";
import { runningTime } from "../routing/running-time.js";

/** Milliseconds for which Redis waits; other commands of the connection wait too. */
const MAX_WAIT = 1_000;

export class Replication {
  /** The next confirmation of each connection: of everything written before it begins. */
  readonly #next = new WeakMap<RedisConnection, Promise<void>>();
  readonly #running = new WeakMap<RedisConnection, Promise<void>>();

  /** Resolves once everything written on this connection is confirmed. */
  confirm(connection: RedisConnection, deadline: number): Promise<void> {
    const known = this.#next.get(connection);
    if (known !== undefined) return known;
    const next = (this.#running.get(connection) ?? Promise.resolve()).then(() => {
      this.#next.delete(connection);
      const running = this.#wait(connection, deadline);
      this.#running.set(
        connection,
        running.catch(() => {}),
      );
      return running;
    });
    this.#next.set(connection, next);
    return next;
  }

  async #wait(connection: RedisConnection, deadline: number): Promise<void> {
    const left = Math.floor(Math.min(MAX_WAIT, deadline - runningTime() - 50));
    const confirmed =
      left <= 0
        ? 0
        : await before(deadline, connection.send(["WAIT", "1", String(left)]), () => noReply(null));
    if (typeof confirmed === "number" && confirmed >= 1) return;
    throw new EngineUnavailableError("No replica of Redis has confirmed the message in time.", "unknown");
  }
}
