import type { Bar, RatioBar } from "../workload.js";
import type { Ratio } from "./summary.js";

export interface Verdict {
  readonly bar: string;
  readonly outcome: string;
}

/** Holds a peer's figures against a bar. `unit` is that of the cost. */
export function judge(
  bar: Bar,
  cost: number | null,
  unit: string,
  ratioTo: (base: string) => Ratio | null,
): Verdict {
  if (bar.kind === "ratio") return judgeRatio(bar, ratioTo(bar.base));
  const limit = `≤ ${bar.atMost.toLocaleString("en")} ${unit}`;
  return { bar: limit, outcome: outcomeOf(cost, (value) => value <= bar.atMost) };
}

function judgeRatio(bar: RatioBar, ratio: Ratio | null): Verdict {
  const outcome = outcomeOf(ratio?.median ?? null, (value) => value >= bar.atLeast);
  // The table has a column for the ratio to ws; any other is told here.
  const value = ratio === null || bar.base === "ws" ? "" : ` (${ratio.median.toFixed(2)})`;
  const isTooShort = ratio !== null && bar.rounds !== undefined && ratio.rounds < bar.rounds;
  const doubt = isTooShort ? ` so far: ${bar.rounds} rounds decide` : "";
  return { bar: `${bar.base} ÷ peer ≥ ${bar.atLeast}`, outcome: outcome + value + doubt };
}

function outcomeOf(value: number | null, isMetBy: (value: number) => boolean): string {
  if (value === null) return "not measured";
  return isMetBy(value) ? "met" : "MISSED";
}
