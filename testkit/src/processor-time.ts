// How long this process has computed. Other processes on a busy machine lengthen the time that passes, but not this one.

/** Milliseconds for which processors have worked for this process, on all its threads. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Asserts that `run` takes time in proportion to the size that it is given: at `size`, about eight times as long as at
 * an eighth of it, where a quadratic run takes 64 times as long. Returns the milliseconds that it took at `size`.
 */
export async function assertLinear(
  size: number,
  run: (size: number) => unknown,
  what: string,
): Promise<number> {
  let [whole, part] = [Infinity, Infinity];
  // The fastest counts: the first ones are compiled, and any may collect garbage.
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    whole = Math.min(whole, await timeOf(() => run(size)));
    if (whole < MEASURABLE) return whole;
    part = Math.min(part, await timeOf(() => run(size / 8)));
    if (whole < part * LIMIT) return whole;
  }
  throw new Error(`${what} took ${whole.toFixed(1)} ms, and for an eighth of it ${part.toFixed(1)} ms`);
}

async function timeOf(run: () => unknown): Promise<number> {
  const start = processorTime();
  await run();
  return processorTime() - start;
}

const ATTEMPTS = 12;

/** The ratio that a run must stay below: between 8, to which a busy machine adds by emptying caches, and 64. */
const LIMIT = 36;

/** In milliseconds. Shorter times cannot be compared, and are far from quadratic at the sizes of these tests. */
const MEASURABLE = 2;
