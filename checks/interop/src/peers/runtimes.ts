// Other JavaScript runtimes, installed by `scripts/install-peers.sh runtimes`.

import { fileURLToPath } from "node:url";
import { isExecutable, versionOf } from "./executables.js";
import type { PeerProcessOptions } from "./peer-process.js";

export type RuntimeName = keyof typeof RUNTIMES;

export interface JavaScriptRuntime {
  readonly name: RuntimeName;
  /** The reason to skip tests that need it; false if it is installed. */
  readonly skip: string | false;
  readonly version: string | null;
  /** Runs `src/programs/<name>.ts`, compiled. */
  program(name: string): PeerProcessOptions["command"];
}

/** The installation folder; HOLDFAST_PEERS names another one. */
export const PEERS_FOLDER =
  process.env["HOLDFAST_PEERS"] ?? fileURLToPath(new URL("../../../../.peers", import.meta.url));

/** The executable below the folder, and the arguments before the program. */
const RUNTIMES = {
  "Node.js 22": { executable: "node_modules/node22/bin/node", args: [] },
  "Node.js 24": { executable: "node_modules/node24/bin/node", args: [] },
  Bun: { executable: "node_modules/bun/bin/bun.exe", args: ["run"] },
  Deno: { executable: "node_modules/deno/deno", args: ["run", "--quiet", "--no-lock", "--allow-all"] },
} as const;

export function findRuntime(name: RuntimeName): JavaScriptRuntime {
  const { executable, args } = RUNTIMES[name];
  const path = `${PEERS_FOLDER}/${executable}`;
  const isThere = isExecutable(path);
  return {
    name,
    skip: isThere ? false : `${name} is not in .peers/ (scripts/install-peers.sh runtimes)`,
    version: isThere ? versionOf(path, ["--version"]) : null,
    program: (program) => [path, ...args, programPath(program)],
  };
}

/** Runs `src/programs/<name>.ts`, compiled, on the Node.js that runs the tests. */
export function nodeProgram(name: string): PeerProcessOptions["command"] {
  return [process.execPath, programPath(name)];
}

function programPath(name: string): string {
  return fileURLToPath(new URL(`../programs/${name}.js`, import.meta.url));
}
