// Formats the table of detectors as Markdown.

import { DETECTORS } from "./detectors.js";
import { dropTimes, falseVerdicts, idlePings } from "./measure.js";
import { WEATHERS } from "./weathers.js";

export interface DetectionSetting {
  readonly hours: number;
  readonly drops: number;
  readonly seed: number;
}

export function renderDetection({ hours, drops, seed }: DetectionSetting): string {
  const headings = [
    "detector",
    ...WEATHERS.map(({ name }) => name),
    "silent drop, median",
    "longest",
    "idle pings per hour",
  ];
  const rows = DETECTORS.map((detector) => {
    const { median, longest } = dropTimes(detector, drops, seed);
    return [
      detector.name,
      ...WEATHERS.map((weather) => falseVerdicts(detector, weather, hours, seed).toLocaleString("en-US")),
      ...[median, longest].map((time) => `${(time / 1_000).toFixed(1)} s`),
      String(idlePings(detector, seed)),
    ];
  });
  const widths = headings.map((_, column) =>
    Math.max(...[headings, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(" | ")} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  const intro = `False verdicts in ${hours.toLocaleString("en-US")} connection hours at a round trip of 50 ms with messages all the time, and the time from a silent drop to the verdict (${drops.toLocaleString("en-US")} drops); seed ${seed}.`;
  return `${intro}\n\n${[line(headings), rule, ...rows.map(line)].join("\n")}\n`;
}
