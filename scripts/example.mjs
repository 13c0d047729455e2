// `npm run example -- NAME [arguments]`: installs, builds and runs one of the examples; without a name, lists them.

import { basename } from "node:path";
import { build } from "./build.mjs";
import { filesBelow } from "./lib/files.mjs";
import { run } from "./lib/run.mjs";

/** The programs by name: one file each, and those in a folder of their own. */
const programs = Object.fromEntries([
  ...filesBelow("examples/src")
    .filter((path) => path.endsWith(".ts") && path.split("/").length === 3)
    .map((path) => [basename(path, ".ts"), `examples/dist/${basename(path, ".ts")}.js`]),
  ["chat-cluster", "examples/chat-cluster/dist/main.js"],
  ["pages", "examples/pages/dist/main.js"],
  ["operations", "examples/operations/dist/main.js"],
]);
const names = Object.keys(programs).sort();
const [name, ...args] = process.argv.slice(2);

if (!names.includes(name)) {
  console.error(`npm run example -- NAME [arguments], where NAME is one of\n  ${names.join("\n  ")}`);
  process.exitCode = 2;
} else if (await build()) {
  process.exitCode = await run(process.execPath, [programs[name], ...args]);
} else {
  process.exitCode = 1;
}
