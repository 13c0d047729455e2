import { eventually } from "./waiting.js";

/** How many sockets, servers, timers and so on keep this process alive, by the names that Node gives them. */
export type ResourceCounts = Readonly<Record<string, number>>;

/** Counts what keeps the process alive at this moment. What is unref'd does not count. */
export function activeResources(): ResourceCounts {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/**
 * Resolves once nothing is left but what was there `before`: a closed socket takes a turn or two to go.
 * Rejects after `timeout` with the names of what is left.
 */
export async function assertNothingLeft(
  before: ResourceCounts,
  { timeout = 10_000 }: { timeout?: number } = {},
): Promise<void> {
  let left = "";
  const isNothingLeft = () => {
    left = Object.entries(activeResources())
      .map(([name, count]) => ({ name, extra: count - (before[name] ?? 0) }))
      .filter(({ extra }) => extra > 0)
      .map(({ name, extra }) => `${extra} × ${name}`)
      .join(", ");
    return left === "";
  };
  await eventually(isNothingLeft, "resources to be released", timeout).catch(() => {
    throw new Error(`Left behind after ${timeout} ms: ${left}`);
  });
}
