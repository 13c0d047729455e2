import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Load, Workload } from "../workload.js";

/** How to start a peer's program. The README says what the program must do. */
export interface PeerProgram {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly hasChannel: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether it needs a Redis, whose port is in the variable REDIS_PORT. @default false */
  readonly needsRedis?: boolean;
  /** The version of the link protocol that its clients speak: 1, or 2 for sessions. @default none */
  readonly link?: 1 | 2;
}

/** Whether this machine has the program. */
export type Availability =
  | { readonly isAvailable: true; readonly program: PeerProgram; readonly version: string }
  | { readonly isAvailable: false; readonly reason: string };

export interface Peer {
  /** The name in the tables and on the command line. */
  readonly name: string;
  /** One line for the results: how it echoes, and what is disabled. */
  readonly about: string;
  /** The loads that its programs support. @default all */
  readonly can?: (load: Load) => boolean;
  /** The workloads that it runs unless `--peers` names it. @default all that it supports */
  readonly takesPart?: (workload: Workload) => boolean;
  /** Whether `--quick` includes it. @default false */
  readonly isQuick?: boolean;
  /** Its server; none if only its client matters. */
  readonly findServer?: () => Availability;
  /** Its client; none if only its server matters. */
  readonly findClient?: () => Availability;
  /** One of its processes that share a Redis, for `ClusterLoad`. */
  readonly findProcess?: () => Availability;
  /** The protocol of the clients of these processes. @default "plain" */
  readonly dialect?: "plain" | "socket.io";
}

/** A program of this folder, run by the same Node as the bench. */
export function nodeProgram(
  file: string,
  version: string,
  { flags = [], environment = {} }: NodeProgramOptions = {},
): Availability {
  return {
    isAvailable: true,
    program: {
      program: process.execPath,
      arguments: ["--expose-gc", ...flags, pathOf(file)],
      hasChannel: true,
      environment,
    },
    version,
  };
}

export interface NodeProgramOptions {
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** The version of an installed npm package; null if it is not installed. */
export function packageVersion(name: string): string | null {
  try {
    // Not every package exports its manifest: it is above its entry.
    for (let folder = dirname(fileURLToPath(import.meta.resolve(name))); ; folder = dirname(folder)) {
      if (folder === dirname(folder)) return null;
      const manifest = join(folder, "package.json");
      if (!existsSync(manifest)) continue;
      const found = JSON.parse(readFileSync(manifest, "utf8")) as { name?: string; version: string };
      if (found.name === name) return `${name} ${found.version}`;
    }
  } catch {
    return null;
  }
}

/** A program in another language, with the command that prints its version, or fails if it is missing. */
export function foreignProgram(
  program: string,
  parameters: readonly string[],
  versionCommand: readonly string[],
  reason: string,
): Availability {
  const printed = spawnSync(program, versionCommand, { encoding: "utf8" });
  if (printed.status !== 0) return { isAvailable: false, reason };
  return {
    isAvailable: true,
    program: { program, arguments: parameters, hasChannel: false },
    version: printed.stdout.trim().split("\n")[0] ?? "",
  };
}

/** Another JavaScript runtime: where `scripts/install-peers.sh runtimes` puts it, or else on the PATH. */
export function runtimeProgram(
  name: string,
  parameters: readonly string[],
  versionCommand: readonly string[],
): Availability {
  const own = pathOf(`../../../.peers/node_modules/.bin/${name}`);
  const reason = `${name} is not installed (scripts/install-peers.sh runtimes)`;
  const found = foreignProgram(existsSync(own) ? own : name, parameters, versionCommand, reason);
  if (!found.isAvailable) return found;
  const version = found.version.toLowerCase().startsWith(name) ? found.version : `${name} ${found.version}`;
  return { ...found, version };
}

export function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
