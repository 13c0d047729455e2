import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { RunningServer } from "./server.js";

export interface Usage {
  readonly cpuMicroseconds: number;
  readonly residentBytes: number;
}

/**
 * Returns the resources that a server has used so far. A Node server reports them itself (any platform,
 * microsecond precision). Otherwise they are read from /proc (10 ms ticks); null if there is no /proc.
 */
export async function readUsage(server: RunningServer): Promise<Usage | null> {
  return server.process.connected ? askServer(server) : readProc(server.pid);
}

/** Makes a server collect its garbage; every peer does that on SIGUSR2. */
export function collectGarbage(server: RunningServer): void {
  if (server.process.connected) server.process.send("collect");
  else server.process.kill("SIGUSR2");
}

async function askServer(server: RunningServer): Promise<Usage | null> {
  const answer = once(server.process, "message", { signal: AbortSignal.timeout(30_000) });
  server.process.send("usage");
  const [usage] = (await answer) as [Usage]; // peers/support/program.ts answers nothing else
  return usage;
}

function readProc(pid: number): Usage | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may contain spaces; utime and stime are the 12th and 13th fields after it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    const kibibytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return { cpuMicroseconds: ticks * 10_000, residentBytes: Number(kibibytes) * 1024 };
  } catch {
    return null;
  }
}
