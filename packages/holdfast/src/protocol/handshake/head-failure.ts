/** Limits on the head that a peer may send. */
export interface HeadLimits {
  /** Bytes of the whole head: start line, fields and the final blank line, plus any blank lines before it. */
  readonly maxSize: number;
  /** Number of header fields. */
  readonly maxHeaders: number;
}

/** Why a head is rejected. */
export interface HeadFailure {
  readonly outcome: "failed";
  /** The status for a server to answer: 400, 414 (start line too long), 431 (fields too large) or 505 (not HTTP/1.x). */
  readonly status: 400 | 414 | 431 | 505;
  /** The exceeded limit; null if the head is malformed. */
  readonly limit: keyof HeadLimits | null;
  /** One sentence: what was expected, and what was received. */
  readonly reason: string;
}

/** Whether a result is a failure. */
export function isHeadFailure(result: object): result is HeadFailure {
  return "outcome" in result && result.outcome === "failed";
}
