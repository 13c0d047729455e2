// Where tests write down their results for the table, as lines of JSON: a file that HOLDFAST_INTEROP_JOURNAL names.
// Every test file is a process of its own, so all of them append to it.

import { appendFileSync, readFileSync } from "node:fs";
import type { Cell, Row } from "./tables.js";

export type Entry =
  | { readonly type: "planned" | "passed" | "failed"; readonly cell: Cell }
  /** What the peer does not do or does differently, whatever the tests say. */
  | { readonly type: "note"; readonly cell: Cell; readonly note: string }
  | { readonly type: "version"; readonly row: Row; readonly version: string };

export const JOURNAL = "HOLDFAST_INTEROP_JOURNAL";

export function write(entry: Entry): void {
  const path = process.env[JOURNAL];
  if (path !== undefined) appendFileSync(path, `${JSON.stringify(entry)}\n`);
}

export function readJournal(path: string): readonly Entry[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Entry); // `write` wrote it.
}
