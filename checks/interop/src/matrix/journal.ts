// The journal of test results for the table: lines of JSON in the file that HOLDFAST_INTEROP_JOURNAL names.
// All test files append to it, because each is a separate process.

import { appendFileSync, readFileSync } from "node:fs";
import type { Cell, Row } from "./tables.js";

export type Entry =
  | { readonly type: "planned" | "passed" | "failed"; readonly cell: Cell }
  /** A limitation of the peer, independent of the test results. */
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
    .map((line) => JSON.parse(line) as Entry); // Written by `write`.
}
