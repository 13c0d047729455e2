import { readdirSync, readFileSync } from "node:fs";
import { eventually } from "./waiting.js";

/**
 * Stops a process, and resolves once none of its threads runs. Until the one that takes the signal gets a processor,
 * the others continue: on a busy machine long enough to answer.
 */
export async function pauseProcess(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  if (process.platform === "linux") await eventually(() => isStopped(pid), `process ${pid} to stop`);
}

function isStopped(pid: number): boolean {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder).every((thread) =>
    / \(.*\) T /s.test(readFileSync(`${folder}/${thread}/stat`, "utf8")),
  );
}
