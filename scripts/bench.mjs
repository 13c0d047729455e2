// `npm run bench`: installs and builds what is missing, then runs a bench with the arguments.
//
//   npm run bench -- [options]          compares Holdfast with its peers (bench/src/main.ts)
//   npm run bench -- NAME [options]     one of: cuts, detection, herd, inspect, pings, reconnects, restart, soak, start, topics (bench/README.md)

import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

if (changedAt("node_modules/.package-lock.json") < changedAt("package-lock.json")) {
  execute(process.platform === "win32" ? "npm.cmd" : "npm", ["install"]);
}
const programs = [
  "cuts",
  "detection",
  "herd",
  "inspect",
  "pings",
  "reconnects",
  "restart",
  "soak",
  "start",
  "topics",
];
const [name, ...options] = process.argv.slice(2);
if (programs.includes(name)) {
  execute(process.execPath, ["scripts/build.mjs"]);
  // Some of them collect garbage before they measure memory.
  execute(process.execPath, ["--expose-gc", `bench/dist/${name}.js`, ...options], "inherit");
} else {
  // The bench alone, which builds the library that it refers to.
  execute(process.execPath, ["node_modules/typescript/bin/tsc", "--build", "bench"]);
  await import("../bench/dist/main.js");
}

// npm touches this file on every installation, so it is older than the lockfile only after the lockfile has
// changed.
function changedAt(path) {
  return statSync(new URL(`../${path}`, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

// Standard output belongs to the table: what the tools say goes to standard error.
function execute(program, parameters, output = 2) {
  const { status, error } = spawnSync(program, parameters, {
    cwd: root,
    stdio: ["ignore", output, 2],
    shell: program.endsWith(".cmd"),
  });
  if (error) process.stderr.write(`${program}: ${error.message}\n`);
  if (status !== 0) process.exit(status ?? 1);
}
