// The three parts of an explanation, and how they are joined.

import type { CloseCause } from "../close-info.js";

export interface Explanation {
  /** The event: a clause that begins with a capital and has no full stop. */
  readonly happened: string;
  /** The likely reasons, from the evidence: whole sentences. */
  readonly likely?: readonly string[] | undefined;
  /** The advice: whole sentences. */
  readonly advice?: readonly string[] | undefined;
}

/** The reasons and the advice alone. */
export type Finding = Pick<Explanation, "advice" | "likely">;

/** Explains why a connection could not be opened. */
export type ExplainOpening = (cause: CloseCause, error: Error | null) => Explanation;

/** @param aside what was measured, in brackets after the event; null for nothing */
export function sentences({ happened, likely = [], advice = [] }: Explanation, aside: string | null): string {
  return [aside === null ? `${happened}.` : `${happened} (${aside}).`, ...likely, ...advice].join(" ");
}
