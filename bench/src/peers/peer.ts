import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** How to start a peer's server. What the program must do stands in the README. */
export interface PeerProgram {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly hasChannel: boolean;
  readonly environment?: Readonly<Record<string, string>>;
}

/** What a look at this machine found. */
export type Availability =
  | { readonly isAvailable: true; readonly program: PeerProgram; readonly version: string }
  | { readonly isAvailable: false; readonly reason: string };

export interface Peer {
  /** The name in the tables and on the command line. */
  readonly name: string;
  /** One line for the results: how it echoes, what is switched on. */
  readonly about: string;
  /** The ids of the workloads it takes part in unless `--peers` names it. @default all */
  readonly workloads?: readonly string[];
  /** Whether `--quick` leaves it out unless `--peers` names it. @default false */
  readonly isSlow?: boolean;
  find(): Availability;
}

/** A server program of this folder, run by the Node that runs the bench. */
export function nodeProgram(file: string, version: string): Availability {
  const script = fileURLToPath(new URL(file, import.meta.url));
  return {
    isAvailable: true,
    program: { program: process.execPath, arguments: ["--expose-gc", script], hasChannel: true },
    version,
  };
}

/** The version of an installed npm package. */
export function packageVersion(name: string): string {
  const manifest = readFileSync(fileURLToPath(import.meta.resolve(`${name}/package.json`)), "utf8");
  const { version } = JSON.parse(manifest) as { version: string }; // every installed package has one
  return `${name} ${version}`;
}

/** A program of another language, with the command that prints its version or fails where it is missing. */
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
    version: printed.stdout.trim(),
  };
}
