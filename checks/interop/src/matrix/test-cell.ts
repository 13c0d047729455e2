// Tests whose results go into the interoperability table.

import { test, type TestContext } from "node:test";
import { write } from "./journal.js";
import type { Cell, Row } from "./tables.js";

export interface CellTestOptions {
  readonly skip: string | false;
  readonly timeout: number;
}

/** A test of node:test; the table shows whether all tests of the cell passed. */
export function testCell(
  cell: Cell,
  title: string,
  options: CellTestOptions,
  body: (context: TestContext) => Promise<void>,
): void {
  write({ type: "planned", cell });
  test(title, options, async (context) => {
    try {
      await body(context);
    } catch (error) {
      write({ type: "failed", cell });
      throw error;
    }
    write({ type: "passed", cell });
  });
}

/** Adds a remark to a cell that the peer does not support, or supports differently. */
export function noteCell(cell: Cell, note: string): void {
  write({ type: "note", cell, note });
}

export function noteVersion(row: Row, version: string | null): void {
  if (version !== null) write({ type: "version", row, version });
}
