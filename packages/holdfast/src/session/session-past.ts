// The past of a server's session: the same object for all that have had one socket, and nothing else.

import type { SessionLoss } from "../shared/session-errors.js";

export interface Past {
  /** Of the store: the process with the newest generation holds the session. Starts at 1. */
  readonly generation: number;
  /** Epoch milliseconds; null while attached. */
  readonly deadline: number | null;
  /** The same on the monotonic clock, which nobody sets; null while attached, or if another process has detached it. */
  readonly expiry: number | null;
  readonly loss: SessionLoss | null;
  /** ATTEMPT of the newest `resume`. */
  readonly attempt: number;
}

export const NO_PAST: Past = { generation: 1, deadline: null, expiry: null, loss: null, attempt: 0 };
