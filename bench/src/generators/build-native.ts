import { spawnSync } from "node:child_process";
import { mkdirSync, renameSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

export type Build =
  { readonly isBuilt: true; readonly program: string } | { readonly isBuilt: false; readonly reason: string };

/** Builds native/`name`.c, unless it has been built since it last changed. */
export function buildNative(name: "loadgen" | "far-end"): Build {
  if (process.platform !== "linux") return { isBuilt: false, reason: "it needs Linux (epoll)" };
  const source = pathOf(`../../native/${name}.c`);
  const program = pathOf(`../../.build/${name}`);
  if (changedAt(program) > changedAt(source)) return { isBuilt: true, program };
  mkdirSync(pathOf("../../.build/"), { recursive: true });
  // Build to a temporary name and rename, so that a concurrent run never starts an incomplete program.
  const unfinished = `${program}.${process.pid}`;
  const compiler = spawnSync("cc", ["-O2", source, "-lz", "-o", unfinished], { encoding: "utf8" });
  if (compiler.error !== undefined) return { isBuilt: false, reason: "there is no C compiler (cc)" };
  if (compiler.status !== 0) return { isBuilt: false, reason: explainFailure(compiler.stderr) };
  renameSync(unfinished, program);
  return { isBuilt: true, program };
}

function explainFailure(complaint: string): string {
  if (complaint.includes("zlib.h")) return "zlib's headers are missing (Debian: apt-get install zlib1g-dev)";
  return `cc failed: ${complaint.trim().split("\n")[0] ?? ""}`;
}

function changedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
