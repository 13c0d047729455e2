// Inputs on disk: the committed corpus, inputs that earlier runs kept, and findings.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TargetName } from "./targets.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Committed: seeds written by hand, and the inputs of past findings. */
export const corpusFolder = (target: TargetName): string => join(root, "checks/fuzz/corpus", target);
/** Inputs that covered new code, on this machine. */
export const keptFolder = (target: TargetName): string => join(root, ".cache/fuzz", target);
/** Inputs that violated a promise. */
export const findingsFolder = (target: TargetName): string => join(root, "checks/fuzz/findings", target);

/** The inputs of a folder, sorted by name. */
export function readInputs(folder: string): readonly (readonly [name: string, input: Uint8Array])[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => [name, readFileSync(join(folder, name))] as const);
}

/** Writes an input under a name derived from its bytes; returns the path. */
export function writeInput(folder: string, input: Uint8Array): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, createHash("sha1").update(input).digest("hex").slice(0, 16));
  writeFileSync(path, input);
  return path;
}
