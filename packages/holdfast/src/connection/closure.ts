// Which cause a connection's end is put down to, when several things happen on the way.

import type { CloseCause } from "./close-info.js";

/** Beginnings of a normal end, which may still go wrong. */
const NORMAL: ReadonlySet<CloseCause> = new Set<CloseCause>([
  "local-close",
  "peer-close",
  "server-shutdown",
  "handler-failed",
]);

export class Closure {
  #cause: CloseCause | null = null;
  #error: Error | null = null;

  get hasBegun(): boolean {
    return this.#cause !== null;
  }

  /** We failed the connection, or gave it up: a polite end is not waited for any more. */
  get hasFailed(): boolean {
    return this.#cause !== null && !NORMAL.has(this.#cause);
  }

  get cause(): CloseCause {
    return this.#cause ?? "eof";
  }

  get error(): Error | null {
    return this.#error;
  }

  /**
   * Something ends the connection. The first cause stands, unless a normal closing is cut short: then it is what
   * cut it short (`isComplete` tells whether both Close frames were exchanged by then).
   */
  note(cause: CloseCause, error: Error | null, isComplete: boolean): void {
    if (this.#cause !== null && (this.hasFailed || NORMAL.has(cause) || isComplete)) return;
    this.#cause = cause;
    this.#error = error;
  }
}
