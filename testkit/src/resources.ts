import { eventually } from "./waiting.js";

/**
 * The resources that keep this process alive (sockets, servers, timers …), counted by the names that Node
 * gives them.
 */
export type ResourceCounts = Readonly<Record<string, number>>;

/** Counts the resources that keep the process alive now; resources after `unref()` do not. */
export function activeResources(): ResourceCounts {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/**
 * Resolves once only the resources counted in `before` are left: a closed socket takes a turn or two to disappear.
 * Rejects after `timeout` with the names of the other resources.
 */
export async function assertNothingLeft(
  before: ResourceCounts,
  { timeout = 30_000 }: { timeout?: number } = {},
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
