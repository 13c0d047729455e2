// The counters of the instrumented code, one per edge of its control flow, and whether a run covered new
// edges.

/** More than the targets need, which is about 900. */
const MAX_EDGES = 1 << 11;

const NAME = "holdfastFuzzEdges";

/** The expression by which instrumented modules access the counters. */
export const EDGES_EXPRESSION = `globalThis.${NAME}`;

/** The counters of this process, created before the first instrumented module is loaded. */
export const edges: Uint32Array = ((globalThis as Record<string, unknown>)[NAME] ??= new Uint32Array(
  MAX_EDGES,
)) as Uint32Array;

/** Remembers which edges were ever taken, and roughly how often in one run: 1, 2, 3, 4–7, 8–15, … times. */
export class Coverage {
  readonly #seen = new Uint8Array(MAX_EDGES);
  #covered = 0;

  /** The number of edges that any run has taken. */
  get covered(): number {
    return this.#covered;
  }

  /** Reads the counters of a run, resets them, and returns whether the run covered anything new. */
  collect(): boolean {
    let isNew = false;
    for (let edge = 0; edge < MAX_EDGES; edge++) {
      const count = edges[edge] ?? 0;
      if (count === 0) continue;
      edges[edge] = 0;
      const seen = this.#seen[edge] ?? 0;
      const magnitude = 1 << Math.min(7, count < 4 ? count - 1 : 30 - Math.clz32(count) + 2);
      if ((seen & magnitude) !== 0) continue;
      if (seen === 0) this.#covered++;
      this.#seen[edge] = seen | magnitude;
      isNew = true;
    }
    return isNew;
  }
}
