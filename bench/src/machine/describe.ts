import { cpus, loadavg, release, totalmem, type as operatingSystem } from "node:os";
import type { Generator } from "../generators/generator.js";
import type { Stage } from "../plan.js";
import type { Cores } from "./cores.js";

/** Lines that a reader needs to judge the figures. */
export function describeMachine(stages: readonly Stage[], generator: Generator, cores: Cores): string[] {
  const processors = cpus();
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  const contenders = stages.flatMap((stage) => stage.contenders);
  const peers = contenders.map(({ peer, version }) => `Peer ${peer.name}: ${version}; ${peer.about}`);
  const rounds = Math.max(...stages.map((stage) => stage.rounds));
  const durations = new Set(stages.map(({ timing }) => `${timing.warmup} + ${timing.duration} ms`));
  return [
    `Date: ${new Date().toISOString().slice(0, 10)}`,
    `Machine: ${processors.length} × ${processors[0]?.model.trim() ?? "unknown"}, ${gibibytes} GiB, ` +
      `${operatingSystem()} ${release()}, ${process.arch}`,
    `Load when the run began: ${describeLoad()}`,
    `Node: ${process.version}`,
    `Load generator: ${generator.name}`,
    `Cores: ${describeCores(cores)}`,
    `Rounds: ${rounds}, in random order`,
    `Each turn: ${[...durations].join(" or ")} (warm-up + measured)`,
    ...new Set(peers), // some take part as servers and as clients
  ];
}

/** If other processes compete for the cores, rates are meaningless and ratios move towards 1. */
function describeLoad(): string {
  const load = loadavg()[0] ?? 0;
  return `${load.toFixed(1)}${load > 1 ? " (other processes were busy: repeat the run on an idle machine)" : ""}`;
}

function describeCores({ server, generator }: Cores): string {
  if (server === null || generator === null) return "not pinned (no taskset, or a single core)";
  return `server on ${server}, load generator on ${generator}`;
}
