// Does long work in slices, between which the process serves its connections.

import { setImmediate as nextTurn } from "node:timers/promises";

/** Milliseconds of a slice. */
const SLICE = 4;
/** Items between two looks at the clock. */
const STEP = 64;

/**
 * Calls `each` for every item.
 * @returns the milliseconds that the slices took together
 */
export async function inSlices<Item>(items: readonly Item[], each: (item: Item) => void): Promise<number> {
  let cost = 0;
  let index = 0;
  while (index < items.length) {
    if (index > 0) await nextTurn();
    const began = performance.now();
    let took = 0;
    while (index < items.length && took < SLICE) {
      const end = Math.min(items.length, index + STEP);
      while (index < end) each(items[index++]);
      took = performance.now() - began;
    }
    cost += took;
  }
  return cost;
}
