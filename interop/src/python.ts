// Python, where it is installed, and what is installed for it.

import { spawnSync } from "node:child_process";

/** The interpreter: Debian's, which has Debian's packages, unless HOLDFAST_PYTHON names another one. */
export const python = process.env["HOLDFAST_PYTHON"] ?? "/usr/bin/python3";

/** The reason to skip what needs the package; false where Python can import it. */
export function isMissing(moduleName: string, debianPackage: string): string | false {
  const probe = spawnSync(python, ["-c", `import ${moduleName}`], { timeout: 20_000, encoding: "utf8" });
  if (probe.status === 0) return false;
  const reason = probe.error?.message ?? probe.stderr.trim().split("\n").at(-1) ?? "";
  return `${python} cannot import ${moduleName} (${debianPackage} on Debian): ${reason}`;
}
