// The three parts of an explanation, and how they are joined.

export interface Explanation {
  /** The event: a clause that begins with a capital and has no full stop. */
  readonly happened: string;
  /** The likely reasons, from the evidence: whole sentences. */
  readonly likely?: readonly string[] | undefined;
  /** The advice: whole sentences. */
  readonly advice?: readonly string[] | undefined;
}
