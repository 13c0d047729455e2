// Pauses reading while too many events of topics are unread, on the link's current connection.

import type { Connection } from "../../connection/connection.js";
import { coreOf } from "../../connection/core-of.js";

/** The default of `maxQueue`. */
const MAX_EVENTS = 1_024;
const MAX_BYTES = 1024 * 1024;

export class UnreadLimit {
  #events = 0;
  #bytes = 0;
  #connection: Connection | null = null;
  #isFull = false;

  attach(connection: Connection): void {
    this.#connection = connection;
    if (this.#isFull) coreOf(connection).pauseReading("topics");
  }

  add(events: number, bytes: number): void {
    this.#events += events;
    this.#bytes += bytes;
    // Reading resumes at half of the limit, so that it does not pause for each event.
    const share = this.#isFull ? 0.5 : 1;
    const isFull = this.#events >= MAX_EVENTS * share || this.#bytes >= MAX_BYTES * share;
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    if (this.#connection === null) return;
    if (isFull) coreOf(this.#connection).pauseReading("topics");
    else coreOf(this.#connection).resumeReading("topics");
  }
}
