// `npm run bench`: installs and builds if necessary, then runs the bench in this process with the given
// arguments.

import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

if (changedAt("node_modules/.package-lock.json") < changedAt("package-lock.json")) {
  execute(process.platform === "win32" ? "npm.cmd" : "npm", ["install"]);
}
// Only the bench, which builds the library that it references.
execute(process.execPath, ["node_modules/typescript/bin/tsc", "--build", "bench"]);
await import("../bench/dist/main.js");

// npm touches this file on every installation, so it is older than the lockfile only after the lockfile has
// changed.
function changedAt(path) {
  return statSync(new URL(`../${path}`, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

// Standard output is reserved for the table, so the tools' output goes to standard error.
function execute(program, parameters) {
  const { status, error } = spawnSync(program, parameters, {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: program.endsWith(".cmd"),
  });
  if (error) process.stderr.write(`${program}: ${error.message}\n`);
  if (status !== 0) process.exit(status ?? 1);
}
