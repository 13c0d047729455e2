/** How much a peer may send before the blank line that ends the head. */
export interface HeadLimits {
  /** Bytes of the whole head: start line, fields and the blank line; blank lines before it count as well. */
  readonly maxSize: number;
  /** Header fields. */
  readonly maxHeaders: number;
}

/** Why a head is refused. */
export interface HeadFailure {
  readonly outcome: "failed";
  /** What a server answers: 400, 414 (start line too long), 431 (fields too large) or 505 (not HTTP/1.x). */
  readonly status: 400 | 414 | 431 | 505;
  /** The limit that was passed, or null where the head is malformed. */
  readonly limit: keyof HeadLimits | null;
  /** One sentence: what was expected, and what came. */
  readonly reason: string;
}

/** Tells a failure from what was read instead. */
export function isHeadFailure(result: object): result is HeadFailure {
  return "outcome" in result && result.outcome === "failed";
}
