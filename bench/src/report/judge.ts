import type { Bar, RatioBar } from "../workload.js";
import type { Ratio } from "./summary.js";

export interface Verdict {
  readonly bar: string;
  readonly outcome: string;
}

/** A peer's results. `unit` is that of the cost; `base` is the peer that the table's ratios refer to. */
export interface Figures {
  readonly cost: number | null;
  readonly burst: number | null;
  readonly perSecond: number | null;
  /** In microseconds. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly unit: string;
  readonly base: string;
}

/** Compares a peer's figures with a bar. */
export function judge(bar: Bar, figures: Figures, ratioTo: (base: string) => Ratio | null): Verdict {
  switch (bar.kind) {
    case "ratio":
      return judgeRatio(bar, figures.base, ratioTo(bar.base));
    case "limit": {
      const limit = `≤ ${bar.atMost.toLocaleString("en")} ${figures.unit}`;
      return { bar: limit, outcome: outcomeOf(figures.cost, (value) => value <= bar.atMost) };
    }
    case "rate": {
      const outcome = outcomeOf(figures.perSecond, (rate) => rate >= bar.atLeast);
      return { bar: `≥ ${bar.atLeast.toLocaleString("en")} a second`, outcome };
    }
    case "latency": {
      const isMet = outcomeOf(
        figures.p50,
        (p50) => p50 <= bar.p50 * 1_000 && (figures.p99 ?? 0) <= bar.p99 * 1_000,
      );
      return { bar: `p50 ≤ ${bar.p50} ms, p99 ≤ ${bar.p99} ms`, outcome: isMet };
    }
    case "burst": {
      const value = figures.burst === null ? "" : ` (${percent(figures.burst)})`;
      const outcome = outcomeOf(figures.burst, (share) => share <= bar.atMost);
      return { bar: `≤ ${percent(bar.atMost)} of the pings in 100 ms`, outcome: outcome + value };
    }
  }
}

function judgeRatio(bar: RatioBar, base: string, ratio: Ratio | null): Verdict {
  const outcome = outcomeOf(ratio?.median ?? null, (value) => value >= bar.atLeast);
  // The table has a column for the ratio to the base; any other ratio is shown here.
  const value = ratio === null || bar.base === base ? "" : ` (${ratio.median.toFixed(2)})`;
  const isTooShort = ratio !== null && bar.rounds !== undefined && ratio.rounds < bar.rounds;
  const doubt = isTooShort ? ` so far: ${bar.rounds} rounds decide` : "";
  return { bar: `${bar.base} ÷ peer ≥ ${bar.atLeast}`, outcome: outcome + value + doubt };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function outcomeOf(value: number | null, isMetBy: (value: number) => boolean): string {
  if (value === null) return "not measured";
  return isMetBy(value) ? "met" : "MISSED";
}
