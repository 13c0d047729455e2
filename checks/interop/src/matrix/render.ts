// Formats the tables as Markdown.

import type { Results } from "./results.js";
import { type Cell, TABLES } from "./tables.js";

const MARKS = { passed: "✓", failed: "✗", "not run": "?" } as const;

export function renderTables(results: Results): string {
  const notes: string[] = [];
  const sections = TABLES.map((table) => renderTable(table, results, notes));
  return `${[
    "# Interoperability",
    "Made by `npm run interop:table` from a run of the tests of this folder. ✓ all tests passed · ✗ not all of them · ? not run · – not tested, or nothing to test.",
    ...sections,
    "## Notes",
    notes.map((note, index) => `${index + 1}. ${note}`).join("\n"),
  ].join("\n\n")}\n`;
}

function renderTable(
  { title, about, subject, positions, rows, columns }: (typeof TABLES)[number],
  results: Results,
  notes: string[],
): string {
  const hasRoles = positions.length > 1;
  const lead = [subject, VERSION, ...(hasRoles ? ["as"] : [])];
  const lines = rows.flatMap((row) =>
    positions.map((position) => ({
      lead: [row, results.versionOf(row) ?? "", ...(hasRoles ? [position] : [])],
      cells: columns.map((column) => renderCell({ row, position, column }, results, notes)),
    })),
  );
  const head = [...lead, ...columns];
  const rule = [...lead.map(() => "---"), ...columns.map(() => ":-:")];
  const body = lines
    // Omit peers that are only clients from the table of servers.
    .filter(({ cells }) => cells.some((cell) => cell !== NOTHING))
    .map((line) => [...line.lead, ...line.cells]);
  const table = [head, rule, ...body].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  return [`## ${title}`, about, table].join("\n\n");
}

/** The column that differs between machines. */
const VERSION = "Version";

const NOTHING = "–";

function renderCell(cell: Cell, results: Results, notes: string[]): string {
  const outcome = results.outcomeOf(cell);
  const references = results.notesOn(cell).map((note) => {
    if (!notes.includes(note)) notes.push(note);
    return `[${notes.indexOf(note) + 1}](#notes)`;
  });
  return [outcome === null ? NOTHING : MARKS[outcome], ...references].join(" ");
}

/** All rows of the tables in a Markdown text, without versions and without formatting. */
export function comparable(markdown: string): readonly string[] {
  let versionAt = -1;
  return markdown.split("\n").flatMap((line) => {
    if (!line.startsWith("|")) return [];
    const cells = line.split("|").map((cell) => cell.trim());
    if (cells.includes(VERSION)) versionAt = cells.indexOf(VERSION);
    if (cells[1]?.startsWith("--") === true) return [];
    return [cells.filter((_, index) => index !== versionAt && index > 0).join(" | ")];
  });
}
