// The three parts of an explanation, and how they are joined.

import type { CloseCause } from "../close-info.js";

export interface Explanation {
  /** The event: a clause that begins with a capital and has no full stop. */
  readonly happened: string;
  /** The likely reasons, from the evidence: whole sentences. */
  readonly likely?: string | undefined;
  /** The advice: whole sentences. */
  readonly advice?: string | undefined;
}

/** The reasons and the advice alone. */
export type Finding = Pick<Explanation, "advice" | "likely">;

/** Explains why a connection could not be opened. */
export type ExplainOpening = (cause: CloseCause, error: Error | null) => Explanation;

/** @param aside what was measured, in brackets after the event; null for nothing */
export function sentences({ happened, likely, advice }: Explanation, aside: string | null): string {
  const event = aside === null ? `${happened}.` : `${happened} (${aside}).`;
  return [event, likely, advice].filter((part) => part !== undefined).join(" ");
}

/** Joins the sentences that apply; undefined if none does. */
export function joined(...parts: readonly (string | false | null | undefined)[]): string | undefined {
  return parts.filter(Boolean).join(" ") || undefined;
}
