// Measures starting: a process that imports the library, one that imports ws, and the command's `--help`. The programs
// run in turn, so that a slow machine slows all of them. Prints medians, and the difference to a process that imports
// nothing. It judges nothing.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median } from "./report/statistics.js";

const ROUNDS = 21;

const command = new URL("./cli/main.js", import.meta.resolve("holdfast")).href;

/** The script of each process. */
const PROGRAMS: Readonly<Record<string, string>> = {
  nothing: "",
  ws: `await import("ws");`,
  holdfast: `await import("holdfast");`,
  "holdfast --help": `process.argv.push("holdfast", "--help"); await import(${JSON.stringify(command)});`,
};

/** Prints its figures on stderr, since `--help` is on stdout, and at the exit, since the command ends its process. */
const REPORT = `import { writeSync } from "node:fs";
process.on("exit", () => {
  const { user, system } = process.cpuUsage();
  writeSync(2, JSON.stringify({ processor: (user + system) / 1000, resident: process.memoryUsage.rss() / 1048576 }));
});`;

interface Figures {
  /** Milliseconds until the process has ended, seen from outside. */
  readonly elapsed: number;
  /** CPU milliseconds of the process. */
  readonly processor: number;
  /** MiB of resident memory at the end. */
  readonly resident: number;
}

const UNITS: Readonly<Record<keyof Figures, string>> = {
  elapsed: "ms",
  processor: "ms of CPU",
  resident: "MiB",
};

const figures = new Map(Object.keys(PROGRAMS).map((name) => [name, [] as Figures[]]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, program] of Object.entries(PROGRAMS)) figures.get(name)?.push(measure(program));
}
console.log(
  `${ROUNDS} processes of each, medians; in brackets what is added to a process that imports nothing`,
);
for (const name of Object.keys(PROGRAMS)) {
  const cells = (["elapsed", "processor", "resident"] as const).map((field) => {
    const value = medianOf(name, field);
    return `${value.toFixed(1)} (${(value - medianOf("nothing", field)).toFixed(1)}) ${UNITS[field]}`;
  });
  console.log(`  ${name.padEnd(16)} ${cells.join("   ")}`);
}

function measure(program: string): Figures {
  const begun = performance.now();
  const child = spawnSync(process.execPath, ["--input-type=module", "--eval", `${REPORT}\n${program}`], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    encoding: "utf8",
  });
  const elapsed = performance.now() - begun;
  if (child.status !== 0) throw new Error(child.stderr);
  return { elapsed, ...(JSON.parse(child.stderr) as Omit<Figures, "elapsed">) }; // The report prints nothing else.
}

function medianOf(name: string, field: keyof Figures): number {
  return median((figures.get(name) ?? []).map((each) => each[field])) ?? NaN;
}
