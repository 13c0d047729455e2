// Tests whose result goes into the table of interoperability.

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

/** What the table says of a cell that the peer does not do, or does differently. */
export function noteCell(cell: Cell, note: string): void {
  write({ type: "note", cell, note });
}

export function noteVersion(row: Row, version: string | null): void {
  if (version !== null) write({ type: "version", row, version });
}
