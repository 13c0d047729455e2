// Finds installed programs of the system.

import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

export interface Executable {
  /** The absolute path; the name if the program is missing. */
  readonly path: string;
  /** The reason to skip tests that need it; false if it is installed. */
  readonly skip: string | false;
}

/**
 * Looks for a program in PATH, and in the folders of daemons on Debian; the environment variable `variable`
 * overrides that.
 */
export function findExecutable(
  names: readonly string[],
  { variable, installedBy }: { readonly variable?: string; readonly installedBy: string },
): Executable {
  const chosen = variable === undefined ? undefined : process.env[variable];
  if (chosen !== undefined) return { path: chosen, skip: false };
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin", "/usr/bin"];
  const path = names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
  if (path !== undefined) return { path, skip: false };
  return { path: names.join(), skip: `${names.join(" or ")} is not installed (${installedBy})` };
}

/** Runs a program and returns the first thing in its output that looks like a version. */
export function versionOf(path: string, args: readonly string[]): string | null {
  const { stdout, stderr } = spawnSync(path, args, { timeout: 60_000, encoding: "utf8" });
  return /\d+\.\d+(?:\.\d+)*/.exec(`${stdout}\n${stderr}`)?.[0] ?? null;
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
