import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { PeerProgram } from "../peers/peer.js";
import { end, start } from "./processes.js";

/** A peer's server process, listening. */
export interface RunningServer {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly port: number;
  /** As in PeerProgram. */
  readonly link: 1 | 2 | null;
  /** The last lines that it wrote to stderr. */
  complaints(): string;
  stop(): Promise<void>;
}

const startTimeout = 20_000;

/**
 * Starts a peer's server and waits for its port, which is the first line that it prints.
 * @throws Error with the server's stderr, if it exited or printed no port
 */
export async function startServer(program: PeerProgram, core: number | null): Promise<RunningServer> {
  const child = start({ ...program, core });
  const complaints = lastWords(child);
  const port = Number(await firstLine(child));
  if (!Number.isInteger(port) || port < 1 || child.pid === undefined) {
    await end(child);
    throw new Error(`the server printed no port. ${complaints()}`);
  }
  const { link = null } = program;
  return { process: child, pid: child.pid, port, link, complaints, stop: () => end(child) };
}

/** Keeps the last part of a process's stderr, to show it if the process fails. */
export function lastWords(child: ChildProcess): () => string {
  let words = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-1_000);
  });
  return () => words.trim();
}

async function firstLine(child: ChildProcess): Promise<string | null> {
  if (child.stdout === null) return null;
  const lines = createInterface({ input: child.stdout });
  const giveUp = AbortSignal.timeout(startTimeout);
  try {
    const line = once(lines, "line", { signal: giveUp }).then(([text]) => String(text));
    const ending = once(child, "exit", { signal: giveUp }).then(() => null);
    ending.catch(() => null);
    line.catch(() => null);
    return await Promise.race([line, ending]);
  } catch {
    return null;
  }
}
