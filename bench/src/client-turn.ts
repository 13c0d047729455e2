import { once } from "node:events";
import { text } from "node:stream/consumers";
import type { Measurement, Timing } from "./generators/generator.js";
import type { Cores } from "./machine/cores.js";
import { end, start } from "./machine/processes.js";
import { lastWords, startServer } from "./machine/server.js";
import type { PeerProgram } from "./peers/peer.js";
import type { ClientReport, ClientTask } from "./peers/support/client-program.js";
import type { ClientLoad } from "./workload.js";

/**
 * Runs a peer's client against a far end of its own. The client measures itself, in any JavaScript runtime.
 */
export async function measureClient(
  load: ClientLoad,
  client: PeerProgram,
  farEnd: PeerProgram,
  cores: Cores,
  timing: Timing,
): Promise<Measurement> {
  const server = await startServer(farEnd, cores.generator);
  try {
    const { kind: _, ...work } = load;
    const { warmup, duration } = timing;
    const task: ClientTask = { ...work, port: server.port, warmup, duration };
    return toMeasurement(await run(client, task, cores.server));
  } finally {
    await server.stop();
  }
}

async function run(client: PeerProgram, task: ClientTask, core: number | null): Promise<ClientReport> {
  const child = start({ ...client, arguments: [...client.arguments, JSON.stringify(task)], core });
  const complaints = lastWords(child);
  const watchdog = setTimeout(() => child.kill("SIGKILL"), task.warmup + task.duration + 30_000);
  try {
    const output = child.stdout === null ? "" : text(child.stdout);
    const [status] = (await once(child, "close")) as [number | null];
    if (status !== 0) throw new Error(complaints() || `the client ended with ${status ?? "a signal"}`);
    return JSON.parse(await output) as ClientReport; // printed by client-program.ts
  } finally {
    clearTimeout(watchdog);
    await end(child);
  }
}

function toMeasurement({ count, seconds, cpuMicroseconds }: ClientReport): Measurement {
  if (count === 0) throw new Error("the client got nothing done");
  return {
    perSecond: count / seconds,
    cost: cpuMicroseconds / count,
    p50: null,
    p99: null,
    generatorShare: null,
    burst: null,
  };
}
