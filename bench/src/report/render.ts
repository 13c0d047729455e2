import { cellsOf, headings, remarksOn } from "./cells.js";
import type { Summary } from "./summary.js";

/** The table for the terminal: aligned columns, with a line above each workload. */
export function renderText(summaries: readonly Summary[]): string {
  const tables = summaries.map((summary) => ({ title: titleOf(summary), rows: cellsOf(summary) }));
  const widths = widthsOf([headings, ...tables.flatMap((table) => table.rows)]);
  const line = (cells: readonly string[]): string => padded(cells, widths).join("  ").trimEnd();
  const lines = [
    ...[line(headings), line(widths.map((width) => "─".repeat(width)))],
    ...tables.flatMap(({ title, rows }) => ["", title, ...rows.map(line)]),
    ...["", ...remarksOn(summaries)],
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

/** The page RESULTS.md, formatted as Prettier does. */
export function renderMarkdown(setting: readonly string[], summaries: readonly Summary[]): string {
  const lines = [
    ...[
      "# Results",
      "",
      "Written by `npm run bench -- --write`. How to read it: [README.md](README.md).",
      "",
    ],
    ...[...setting.map((line) => `- ${line}`), ""],
    ...summaries.flatMap(markdownTable),
    ...remarksOn(summaries).flatMap((remark) => [escaped(remark), ""]),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

function markdownTable(summary: Summary): string[] {
  // The heading names the workload, so the first column is omitted.
  const rows = cellsOf(summary).map((cells) => cells.map(escaped));
  const widths = widthsOf([headings, ...rows]);
  const line = (cells: readonly string[]): string => `| ${padded(cells, widths).slice(1).join(" | ")} |`;
  const rule = widths.map((width, column) =>
    isNumber(column) ? `${"-".repeat(width - 1)}:` : "-".repeat(width),
  );
  return [`## ${titleOf(summary)}`, "", line(headings), line(rule), ...rows.map(line), ""];
}

function escaped(text: string): string {
  return text.replace(/[*|<]/g, "\\$&");
}

function titleOf({ id, title, unit, base }: Summary): string {
  return `${id} ${title}; cost: ${unit.per}; base: ${base}`;
}

function widthsOf(rows: readonly (readonly string[])[]): number[] {
  return headings.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
}

function padded(cells: readonly string[], widths: readonly number[]): string[] {
  return cells.map((cell, column) => {
    const width = widths[column] ?? 0;
    return isNumber(column) ? cell.padStart(width) : cell.padEnd(width);
  });
}

function isNumber(column: number): boolean {
  return column >= 2 && column <= 7;
}
