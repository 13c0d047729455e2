import type { Row, Summary } from "./summary.js";

export const headings = [
  "workload",
  "peer",
  "per second",
  "cost, median",
  "cost, min",
  "p50 ms",
  "p99 ms",
  "base ÷ peer (min–max)",
  "bar",
  "met?",
] as const;

/**
 * The rows of a workload as text. An asterisk marks a figure that the load generator limited, not the server.
 */
export function cellsOf(summary: Summary): string[][] {
  return summary.rows.map((row) => [
    summary.id,
    row.peer,
    row.perSecond === null ? "–" : whole(row.perSecond) + (row.isGeneratorBound ? " *" : ""),
    cost(row.cost, summary.unit.symbol),
    cost(row.leastCost, summary.unit.symbol),
    milliseconds(row.p50),
    milliseconds(row.p99),
    ratio(row),
    row.verdicts.map((verdict) => verdict.bar).join("; "),
    [...row.verdicts.map((verdict) => verdict.outcome), ...(row.failures.length > 0 ? ["FAILED"] : [])].join(
      "; ",
    ),
  ]);
}

/** Details that do not fit into the cells: what the marks mean, and why a peer failed. */
export function remarksOn(summaries: readonly Summary[]): string[] {
  const rows = summaries.flatMap((summary) => summary.rows.map((row) => ({ id: summary.id, row })));
  const isMarked = rows.some(({ row }) => row.isGeneratorBound);
  const mark =
    "* The load generator was at its limit: the server could do more per second; its cost is valid.";
  const failures = rows.flatMap(({ id, row }) =>
    row.failures.map((why) => `${id} ${row.peer} failed: ${why.replaceAll(/\s*\n\s*/g, " | ")}`),
  );
  return [...(isMarked ? [mark] : []), ...failures];
}

function ratio({ ratio: it }: Row): string {
  if (it === null) return "–";
  return `${it.median.toFixed(2)} (${it.least.toFixed(2)}–${it.most.toFixed(2)})`;
}

function cost(value: number | null, unit: "µs" | "B"): string {
  if (value === null) return "–";
  return `${value < 100 ? value.toFixed(2) : whole(value)} ${unit}`;
}

function milliseconds(microseconds: number | null): string {
  return microseconds === null ? "–" : (microseconds / 1000).toFixed(2);
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}
