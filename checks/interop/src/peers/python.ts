// The Python interpreter and the packages installed for it.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { PeerProcessOptions } from "./peer-process.js";

/** Debian's interpreter, which has Debian's packages, unless HOLDFAST_PYTHON names another one. */
export const python = process.env["HOLDFAST_PYTHON"] ?? "/usr/bin/python3";

/** Runs `src/python/<name>.py`. */
export function pythonProgram(name: string): PeerProcessOptions["command"] {
  return [python, fileURLToPath(new URL(`../../src/python/${name}.py`, import.meta.url))];
}

export interface PythonPackage {
  /** The reason to skip tests that need it; false if Python can import it. */
  readonly skip: string | false;
  readonly version: string | null;
}

export function findPackage(moduleName: string, packageName: string, debianPackage: string): PythonPackage {
  const script = `import ${moduleName}, importlib.metadata; print(importlib.metadata.version("${packageName}"))`;
  const probe = spawnSync(python, ["-c", script], { timeout: 60_000, encoding: "utf8" });
  if (probe.status === 0) return { skip: false, version: probe.stdout.trim() };
  const reason = probe.error?.message ?? probe.stderr.trim().split("\n").at(-1) ?? "";
  return {
    skip: `${python} cannot import ${moduleName} (${debianPackage} on Debian): ${reason}`,
    version: null,
  };
}
