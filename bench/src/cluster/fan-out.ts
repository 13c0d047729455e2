// A topic beside `broadcast()`, in turn in one process. T3 compares two processes, whose setups leave different garbage;
// this compares the deliveries alone, also on a busy machine.

import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { chooseOtherEnds } from "../generators/choose.js";
import { chooseCores } from "../machine/cores.js";
import { endAllAtExit } from "../machine/processes.js";
import { startRedis } from "../machine/redis.js";
import { startServer } from "../machine/server.js";
import type { Block } from "../peers/cluster/fan-out-process.js";
import { nodeProgram } from "../peers/peer.js";
import { median } from "../report/statistics.js";

const LOAD = { kind: "broadcast", size: 256, connections: 10_000, burst: 1 } as const;
const WARM_UP = 4_000;

export async function showFanOut(duration: number): Promise<void> {
  endAllAtExit();
  const cores = chooseCores();
  const { generator } = chooseOtherEnds(null, cores.generator, (line) => process.stderr.write(`${line}\n`));
  const program = fileURLToPath(new URL("../peers/cluster/fan-out-process.js", import.meta.url));
  const redis = await startRedis();
  try {
    const environment = { REDIS_PORT: String(redis.port) };
    const found = nodeProgram(program, "", { environment });
    if (!found.isAvailable) throw new Error(found.reason);
    const server = await startServer(found.program, cores.server);
    await generator.measure(LOAD, server, { warmup: WARM_UP, duration, settle: 0 });
    const answer = once(server.process, "message", { signal: AbortSignal.timeout(30_000) });
    server.process.send("blocks");
    const [blocks] = (await answer) as [readonly Block[]]; // The program answers nothing else.
    await server.stop();
    report(blocks.slice(Math.floor((blocks.length * WARM_UP) / (WARM_UP + duration))));
  } finally {
    await redis.stop();
  }
}

/** Compares each block with the one before or after it. */
function report(blocks: readonly Block[]): void {
  const costs = (isTopic: boolean): number[] =>
    blocks
      .filter((block) => block.isTopic === isTopic)
      .map((block) => block.cpuMicroseconds / LOAD.connections);
  const [broadcast, topic] = [costs(false), costs(true)];
  const ratios = topic.flatMap((cost, index) => {
    const other = broadcast[index];
    return other === undefined ? [] : [other / cost];
  });
  const show = (value: number | null): string => value?.toFixed(2) ?? "–";
  process.stdout.write("| `broadcast()` | a topic | `broadcast()` ÷ topic | pairs |\n|---|---|---|---|\n");
  const cells = [
    `${show(median(broadcast))} µs`,
    `${show(median(topic))} µs`,
    median(ratios)?.toFixed(3) ?? "–",
  ];
  process.stdout.write(`| ${[...cells, ratios.length].join(" | ")} |\n`);
}
