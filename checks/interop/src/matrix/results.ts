// The results of each cell, from the journal of a test run.

import type { Entry } from "./journal.js";
import type { Cell, Row } from "./tables.js";

/** Whether all tests of a cell passed, at least one failed, or none was run; null if there is no test. */
export type Outcome = "passed" | "failed" | "not run" | null;

export class Results {
  readonly #entries: readonly Entry[];

  constructor(entries: readonly Entry[]) {
    this.#entries = entries;
  }

  outcomeOf(cell: Cell): Outcome {
    const types = this.#entries.flatMap((entry) =>
      entry.type !== "version" && entry.type !== "note" && isSame(entry.cell, cell) ? [entry.type] : [],
    );
    if (types.length === 0) return null;
    if (types.includes("failed")) return "failed";
    const planned = types.filter((type) => type === "planned").length;
    const passed = types.filter((type) => type === "passed").length;
    // A cancelled test has no result.
    return passed === 0 ? "not run" : passed === planned ? "passed" : "failed";
  }

  /** Remarks about the cell. */
  notesOn(cell: Cell): readonly string[] {
    return this.#entries.flatMap((entry) =>
      entry.type === "note" && isSame(entry.cell, cell) ? [entry.note] : [],
    );
  }

  versionOf(row: Row): string | null {
    const found = this.#entries.find((entry) => entry.type === "version" && entry.row === row);
    return found?.type === "version" ? found.version : null;
  }
}

function isSame(one: Cell, other: Cell): boolean {
  return one.row === other.row && one.position === other.position && one.column === other.column;
}
