// Which cause a connection's end is put down to, when several things happen on the way. Immutable: all open connections
// share one.

import type { CloseCause } from "./close-info.js";

/** Beginnings of a normal end, which may still go wrong. */
const NORMAL: ReadonlySet<CloseCause> = new Set<CloseCause>([
  "local-close",
  "peer-close",
  "server-shutdown",
  "handler-failed",
]);

export class Closure {
  /** Nothing has ended the connection so far. */
  static readonly none = new Closure(null, null);

  readonly #cause: CloseCause | null;
  readonly error: Error | null;

  private constructor(cause: CloseCause | null, error: Error | null) {
    this.#cause = cause;
    this.error = error;
  }

  /** We failed the connection, or gave it up: a polite end is not waited for any more. */
  get hasFailed(): boolean {
    return this.#cause !== null && !NORMAL.has(this.#cause);
  }

  /** A stream that just ended, ended. */
  get cause(): CloseCause {
    return this.#cause ?? "eof";
  }

  /**
   * Something ends the connection. The first cause stands, unless a normal closing is cut short: then it is what
   * cut it short (`isComplete` tells whether both Close frames were exchanged by then).
   */
  note(cause: CloseCause, error: Error | null, isComplete: boolean): Closure {
    const stands = this.#cause !== null && (this.hasFailed || NORMAL.has(cause) || isComplete);
    return stands ? this : new Closure(cause, error);
  }
}
