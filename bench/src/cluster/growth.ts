// How the cost of topics over Redis grows. Prints a table.

import { cpus, loadavg } from "node:os";
import { endAllAtExit } from "../machine/processes.js";
import { allPeers } from "../peers/all.js";
import type { ClusterLoad } from "../workload.js";
import { measureCluster } from "./measure.js";

const SIZE = 100;
/** Messages published at once; fewer where each of them is delivered often. */
const BATCH = 512;
const DELIVERIES = 20_000;

export async function showGrowth(duration: number): Promise<void> {
  endAllAtExit();
  const found = allPeers.find(({ name }) => name === "holdfast")?.findProcess?.();
  if (found?.isAvailable !== true) throw new Error(found?.reason ?? "There is no such peer.");
  write(
    `Node.js ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}, load ${loadavg()[0] ?? 0}\n`,
  );
  write(
    "| processes | topics | subscribers of each topic | messages a second | deliveries a second | CPU per delivery | CPU per message |",
  );
  write("|---:|---:|---:|---:|---:|---:|---:|");
  for (const [processes, topics, connections] of CASES) {
    const batch = Math.max(1, Math.min(BATCH, Math.floor(DELIVERIES / connections)));
    const load = {
      kind: "cluster",
      work: "throughput",
      processes,
      topics,
      connections,
      batch,
      size: SIZE,
    } as const satisfies ClusterLoad;
    const measured = await measureCluster(load, found.program, "plain", {
      warmup: 1_000,
      duration,
      settle: 0,
    });
    const [rate, cost] = [measured.perSecond ?? 0, measured.cost ?? 0];
    const cells = [processes, topics, connections, rate, rate * connections].map((value) =>
      Math.round(value).toLocaleString("en"),
    );
    write(`| ${[...cells, `${cost.toFixed(2)} µs`, `${(cost * connections).toFixed(1)} µs`].join(" | ")} |`);
  }
}

const CASES: readonly (readonly [processes: number, topics: number, connections: number])[] = [
  ...[1, 2, 3].map((processes) => [processes, 50, 6] as const),
  ...[10, 100, 1_000, 10_000].map((topics) => [3, topics, 3] as const),
  ...[1, 10, 100, 1_000, 10_000].map((connections) => [Math.min(3, connections), 1, connections] as const),
];

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}
