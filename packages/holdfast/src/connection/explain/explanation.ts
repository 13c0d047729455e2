// The three parts of an explanation, and how they are put together.

export interface Explanation {
  /** What happened: a clause that begins with a capital and has no full stop. */
  readonly happened: string;
  /** What the evidence makes likely: whole sentences. */
  readonly likely: readonly string[];
  /** What to do: whole sentences. */
  readonly advice: readonly string[];
}

/** What speaks for itself. */
export function plain(happened: string): Explanation {
  return { happened, likely: [], advice: [] };
}
