import { once } from "node:events";
import { text } from "node:stream/consumers";
import { end, start } from "../machine/processes.js";
import { lastWords, type RunningServer } from "../machine/server.js";
import { environmentFor, unitOf, type EchoLoad, type ServerLoad } from "../workload.js";
import type { Generator, Measurement, Timing } from "./generator.js";

/** Drives native/loadgen.c, which reads the server's CPU time and memory itself. */
export function createNativeGenerator(program: string, core: number | null): Generator {
  return { name: "C (epoll)", measure, verify };

  async function measure(load: ServerLoad, server: RunningServer, timing: Timing): Promise<Measurement> {
    return toMeasurement(load, await run(server, [...loadOptions(load), ...timingOptions(load, timing)]));
  }

  async function verify(load: EchoLoad, server: RunningServer): Promise<void> {
    await run(server, [...loadOptions(load), "--warmup", "0", "--duration", "0.1", "--verify"]);
  }

  async function run(server: RunningServer, options: readonly string[]): Promise<NativeResult> {
    const link = server.link === null ? [] : ["--link", String(server.link)];
    const target = ["--port", String(server.port), "--pid", String(server.pid), ...link];
    const child = start({ program, arguments: [...target, ...options], core, hasChannel: false });
    const complaints = lastWords(child);
    const watchdog = setTimeout(() => child.kill("SIGKILL"), 180_000);
    try {
      const output = child.stdout === null ? "" : text(child.stdout);
      const [status] = (await once(child, "close")) as [number | null];
      if (status !== 0)
        throw new Error(complaints() || `the load generator ended with ${status ?? "a signal"}`);
      const result = JSON.parse(await output) as NativeResult; // printed by loadgen.c for exactly this
      if (result.errs > 0) throw new Error(`${result.errs} errors in the load generator. ${complaints()}`);
      return result;
    } finally {
      clearTimeout(watchdog);
      await end(child);
    }
  }
}

/** The used fields of the line of JSON that loadgen.c prints. */
interface NativeResult {
  readonly errs: number;
  readonly per_s?: number;
  readonly deliveries_s?: number;
  readonly pings_s?: number;
  readonly burst?: number;
  readonly cpu_us?: number;
  readonly p50_us?: number;
  readonly p99_us?: number;
  readonly lg_cpu?: number;
  readonly kb_per_conn_gc?: number;
}

function loadOptions(load: ServerLoad): string[] {
  switch (load.kind) {
    case "echo":
      return [
        ...["--mode", "echo", "--size", String(load.size)],
        ...["--conns", String(load.connections), "--depth", String(load.depth)],
        ...payloadOptions(load),
        ...deflateOptions(load),
      ];
    case "idle":
      return [
        ...["--mode", "idle", "--conns", String(load.connections)],
        ...["--touch", String(load.messages ?? 1), "--gcsig", ...deflateOptions(load)],
      ];
    case "handshake":
      return ["--mode", "connrate", "--conns", String(load.parallel)];
    case "broadcast":
      return [
        ...["--mode", "bcast", "--size", String(load.size)],
        ...["--conns", String(load.connections), "--depth", String(load.burst)],
        // One collection of the setup's garbage costs as much as several messages.
        ...["--gcsig", "--gcwait", "1"],
      ];
    case "keepalive": {
      const rate = (load.connections * 1000) / load.interval;
      return ["--mode", "idle", "--conns", String(load.connections), "--openrate", String(rate)];
    }
  }
}

function payloadOptions({ payload }: EchoLoad): string[] {
  switch (payload) {
    case "binary":
      return [];
    case "text":
      return ["--text"];
    case "non-ascii":
      return ["--text", "--kind", "utf8"];
    case "json":
      return ["--text", "--kind", "json"];
  }
}

function deflateOptions(load: ServerLoad): string[] {
  const setting = environmentFor(load)["DEFLATE"];
  return setting === undefined ? [] : ["--deflate", setting];
}

function timingOptions(load: ServerLoad, timing: Timing): string[] {
  const seconds = (milliseconds: number): string => String(milliseconds / 1000);
  const warmup = ["--warmup", seconds(timing.warmup)];
  if (load.kind === "idle") return [...warmup, "--duration", "0", "--gcwait", seconds(timing.settle)];
  // Two intervals, so each connection's pings count twice.
  if (load.kind === "keepalive") return [...warmup, "--duration", seconds(2 * load.interval)];
  return [...warmup, "--duration", seconds(timing.duration)];
}

function toMeasurement(load: ServerLoad, result: NativeResult): Measurement {
  const isMemory = unitOf(load).symbol === "B";
  const kibibytes = result.kb_per_conn_gc;
  return {
    perSecond: rateOf(load, result),
    cost: isMemory ? (kibibytes === undefined ? null : kibibytes * 1024) : (result.cpu_us ?? null),
    p50: result.p50_us ?? null,
    p99: result.p99_us ?? null,
    generatorShare: result.lg_cpu ?? null,
    burst: load.kind === "keepalive" ? (result.burst ?? null) : null,
  };
}

function rateOf(load: ServerLoad, result: NativeResult): number | null {
  switch (load.kind) {
    case "echo":
    case "handshake":
      return result.per_s ?? null;
    case "broadcast":
      return result.deliveries_s ?? null;
    case "keepalive":
      return result.pings_s ?? null;
    case "idle":
      return null;
  }
}
