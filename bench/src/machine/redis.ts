// A Redis that serves one measurement: it keeps nothing on the disk.

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "holdfast-testkit";
import { Redis } from "ioredis";
import { end, start } from "./processes.js";

export interface RunningRedis {
  readonly port: number;
  /** Processor time that it has used: unlike a rate, it does not depend on what else runs. */
  cpuMicroseconds(): Promise<number>;
  stop(): Promise<void>;
}

/** The version of the installed server; null if there is none. */
export function redisVersion(): string | null {
  const { status, stdout } = spawnSync("redis-server", ["--version"], { encoding: "utf8" });
  return status === 0 ? `Redis ${/v=(\S+)/.exec(stdout)?.[1] ?? "?"}` : null;
}

export async function startRedis(): Promise<RunningRedis> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
  const parameters = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder];
  const child = start({ program: "redis-server", arguments: parameters, core: null, hasChannel: false });
  if (child.stdout !== null) await once(child.stdout, "data", { signal: AbortSignal.timeout(30_000) });
  child.stdout?.resume();
  const admin = new Redis(port, "127.0.0.1");
  admin.on("error", () => {}); // It connects again until the server is ready.
  return {
    port,
    cpuMicroseconds: async () => {
      const info = await admin.info("cpu");
      const seconds = [...info.matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm)].map(([, text]) => Number(text));
      return seconds.reduce((sum, part) => sum + part, 0) * 1e6;
    },
    stop: async () => {
      admin.disconnect();
      await end(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
