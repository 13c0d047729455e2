import type { ChildProcess } from "node:child_process";
import { on } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { end, start } from "../machine/processes.js";
import { lastWords, type RunningServer } from "../machine/server.js";
import { collectGarbage, readUsage, type Usage } from "../machine/usage.js";
import type { ServerLoad } from "../workload.js";
import type { Generator, Measurement, Timing } from "./generator.js";
import type { Report, Task } from "./node/task.js";

/** Drives node/program.ts, and reads the server's CPU time and memory when the program reports a phase. */
export function createNodeGenerator(core: number | null): Generator {
  return { name: "Node (node:net)", measure, verify: null };

  async function measure(load: ServerLoad, server: RunningServer, timing: Timing): Promise<Measurement> {
    if ((load.kind === "echo" || load.kind === "idle") && load.compression !== undefined) {
      throw new Error(
        "the load generator in Node compresses nothing: this load needs the C generator (cc and zlib's headers)",
      );
    }
    if (server.link !== null) {
      throw new Error(
        "the load generator in Node speaks no link protocol: this peer needs the C generator (cc)",
      );
    }
    const duration = load.kind === "keepalive" ? 2 * load.interval : timing.duration;
    const task: Task = { load, port: server.port, warmup: timing.warmup, duration };
    const before = await readUsage(server);
    const child = start({
      program: process.execPath,
      arguments: [fileURLToPath(new URL("node/program.js", import.meta.url)), JSON.stringify(task)],
      core,
      hasChannel: true,
    });
    try {
      return await follow(child, load, server, timing, before);
    } finally {
      await end(child);
    }
  }
}

async function follow(
  child: ChildProcess,
  load: ServerLoad,
  server: RunningServer,
  timing: Timing,
  before: Usage | null,
): Promise<Measurement> {
  const complaints = lastWords(child);
  const stopWaiting = new AbortController();
  child.once("exit", () => stopWaiting.abort());
  const watchdog = setTimeout(() => stopWaiting.abort(), 180_000);
  let atStart: Usage | null = null;
  try {
    for await (const [message] of on(child, "message", { signal: stopWaiting.signal })) {
      const report = message as Report; // node/program.ts sends nothing else
      if (report.type === "opened") collectGarbage(server);
      if (report.type === "measuring") atStart = await readUsage(server);
      if (report.type === "idle") return await readMemory(load, server, timing, before);
      if (report.type === "measured") return toMeasurement(report, atStart, await readUsage(server));
    }
  } catch (error) {
    if (!stopWaiting.signal.aborted) throw error;
  } finally {
    clearTimeout(watchdog);
  }
  throw new Error(complaints() || "the load generator ended without a result");
}

async function readMemory(
  load: ServerLoad,
  server: RunningServer,
  timing: Timing,
  before: Usage | null,
): Promise<Measurement> {
  await sleep(timing.warmup);
  for (let collection = 0; collection < 2; collection++) {
    collectGarbage(server);
    await sleep(timing.settle);
  }
  const after = await readUsage(server);
  const connections = load.kind === "idle" ? load.connections : 1;
  const grown = before === null || after === null ? null : after.residentBytes - before.residentBytes;
  const cost = grown === null ? null : grown / connections;
  return { perSecond: null, cost, p50: null, p99: null, generatorShare: null, burst: null };
}

function toMeasurement(
  report: Extract<Report, { type: "measured" }>,
  atStart: Usage | null,
  atEnd: Usage | null,
): Measurement {
  const used = atStart === null || atEnd === null ? null : atEnd.cpuMicroseconds - atStart.cpuMicroseconds;
  return {
    perSecond: report.count / report.seconds,
    cost: used === null ? null : used / report.count,
    p50: report.p50,
    p99: report.p99,
    generatorShare: report.share,
    burst: null,
  };
}
