// Child processes for the scripts, and the command lines of npm and tsc.

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { basename, dirname, join } from "node:path";
import { root } from "./root.mjs";

/**
 * Runs a program with this terminal and resolves with its exit status. Ctrl-C reaches the child through the
 * terminal; this process waits until the child has exited.
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit", ...options });
    const stay = () => {};
    const forward = () => child.kill("SIGTERM");
    process.on("SIGINT", stay);
    process.on("SIGTERM", forward);
    child.once("error", reject);
    child.once("close", (status, signal) => {
      process.off("SIGINT", stay);
      process.off("SIGTERM", forward);
      // Shells report a death by signal as 128 + its number.
      resolve(signal === null ? status : 128 + (constants.signals[signal] ?? 0));
    });
  });
}

/** Runs a program and resolves with its exit status and its output, stdout and stderr separately. */
export async function capture(command, args, options = {}) {
  const written = { stdout: "", stderr: "" };
  const child = spawn(command, args, { cwd: root, ...options, stdio: ["ignore", "pipe", "pipe"] });
  for (const name of ["stdout", "stderr"]) {
    child[name].setEncoding("utf8");
    child[name].on("data", (text) => (written[name] += text));
  }
  const status = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
  return { status, ...written };
}

/**
 * The command line that runs npm: [program, ...arguments]. npm is a JavaScript file, run with the same Node,
 * so that Windows needs no shell to start `npm.cmd`.
 */
export function npm(...args) {
  const candidates = [
    process.env.npm_execpath,
    join(dirname(process.execPath), "node_modules/npm/bin/npm-cli.js"),
    join(dirname(process.execPath), "../lib/node_modules/npm/bin/npm-cli.js"),
  ];
  const cli = candidates.find((path) => path && basename(path) === "npm-cli.js" && existsSync(path));
  return cli ? [process.execPath, cli, ...args] : ["npm", ...args];
}

/** The command line that runs a tool of this workspace's node_modules: [program, ...arguments]. */
export function tool(packageName, binName, ...args) {
  const folder = join(root, "node_modules", packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return [process.execPath, join(folder, typeof bin === "string" ? bin : bin[binName]), ...args];
}
