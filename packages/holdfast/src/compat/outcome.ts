// How the standard sees the end of a connection.

import type { CloseCause, CloseInfo } from "../connection/close-info.js";

/** The members of the event `close`. */
export interface Outcome {
  readonly wasClean: boolean;
  readonly code: number;
  readonly reason: string;
}

/** This side has failed the connection: what the peer sent afterwards does not count (RFC 6455 section 7.1.7). */
const FAILURES: ReadonlySet<CloseCause> = new Set([
  "aborted",
  "heartbeat-timeout",
  "invalid-data",
  "message-too-big",
  "protocol-error",
]);

/** RFC 6455 sections 7.1.4 to 7.1.6. */
export function outcomeOf({ clean, cause, code, reason }: CloseInfo): Outcome {
  if (FAILURES.has(cause)) return { wasClean: false, code: 1006, reason: "" };
  return { wasClean: clean, code, reason };
}
