import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Entry } from "./journal.js";
import { comparable, renderTables } from "./render.js";
import { Results } from "./results.js";
import { withSummary } from "./summary.js";
import { type Cell, type Row, TABLES } from "./tables.js";

const committed = readFileSync(new URL("../../MATRIX.md", import.meta.url), "utf8");

test("the committed table has all rows and columns of the tests, and no failures", () => {
  const planned = TABLES.flatMap(({ rows, columns, positions }) =>
    rows.flatMap((row) =>
      positions.flatMap((position) =>
        columns.map((column): Entry => ({ type: "planned", cell: { row, position, column } })),
      ),
    ),
  );
  const all = comparable(renderTables(new Results(planned)));
  const rowOf = (line: string) => line.split(" | ")[0];
  const isHead = (line: string) => !line.includes("?");
  const lines = comparable(committed);
  assert.deepEqual([...new Set(lines.map(rowOf))], [...new Set(all.map(rowOf))]);
  assert.deepEqual(
    lines.filter((line) => all.includes(line)),
    all.filter(isHead),
  );
  assert.doesNotMatch(committed, /\| *[✗?]/);
});

test("the README has the same results in short", () => {
  const readme = readFileSync(new URL("../../../../README.md", import.meta.url), "utf8");
  assert.deepEqual(comparable(withSummary(readme, committed)), comparable(readme));
});

test("a cell shows whether all of its tests passed, with remarks", () => {
  const cell = (row: Row): Cell => ({ row, position: "server", column: "messages" });
  const results = new Results([
    { type: "planned", cell: cell("ws") },
    { type: "planned", cell: cell("ws") },
    { type: "planned", cell: cell("libwebsockets") },
    { type: "planned", cell: cell("Chromium") },
    { type: "planned", cell: cell("Python: wsproto") },
    { type: "planned", cell: cell("Python: wsproto") },
    { type: "passed", cell: cell("ws") },
    { type: "passed", cell: cell("ws") },
    { type: "failed", cell: cell("libwebsockets") },
    { type: "passed", cell: cell("Python: wsproto") },
    { type: "note", cell: cell("ws"), note: "is fast" },
    { type: "version", row: "ws", version: "8.0.0" },
  ]);
  const rows = ["ws", "libwebsockets", "Chromium", "Python: wsproto", "WebSocket of Bun"] as const;
  assert.deepEqual(
    rows.map((row) => results.outcomeOf(cell(row))),
    ["passed", "failed", "not run", "failed", null],
  );
  const text = renderTables(results);
  assert.match(text, /^\| ws \| 8\.0\.0 \| server \| ✓ \[1\]\(#notes\) \| – /m);
  assert.match(text, /^1\. is fast$/m);
  assert.doesNotMatch(text, /WebSocket of Bun/);
});

test("tables are compared without versions and without formatting", () => {
  const one = "| Peer | Version | as |\n| --- | --- | --- |\n| ws | 8.0.0 | server |";
  const other = "| Peer  | Version | as     |\n| ----- | ------- | ------ |\n| ws    | 9       | server |";
  assert.deepEqual(comparable(one), ["Peer | as | ", "ws | server | "]);
  assert.deepEqual(comparable(other), comparable(one));
});
