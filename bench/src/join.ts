// Joins several runs recorded with `--json` into one, with the rounds of each run after those of the previous
// run.

import { readFileSync } from "node:fs";
import type { Sample } from "./run.js";

/** The format that `--json` writes. */
export interface Recording {
  readonly setting: readonly string[];
  readonly samples: readonly Sample[];
}

/** @throws Error that names a file that is not a recording */
export function readRecordings(files: readonly string[]): Recording[] {
  return files.map((file) => {
    const recording = JSON.parse(readFileSync(file, "utf8")) as Partial<Recording>; // checked next
    if (Array.isArray(recording.setting) && Array.isArray(recording.samples)) return recording as Recording;
    throw new Error(`Expected \`--join\` to name files that \`--json\` wrote, got ${file}`);
  });
}

/** The setting is that of the first run. Lines that differ in other runs are marked as such. */
export function joinRecordings(recordings: readonly Recording[]): Recording {
  const samples: Sample[] = [];
  let before = 0;
  for (const recording of recordings) {
    let rounds = 0;
    for (const sample of recording.samples) {
      samples.push({ ...sample, round: before + sample.round });
      rounds = Math.max(rounds, sample.round + 1);
    }
    before += rounds;
  }
  return {
    setting: [...joinSettings(recordings), `Runs: ${recordings.length}, joined: ${before} rounds`],
    samples,
  };
}

function joinSettings(recordings: readonly Recording[]): string[] {
  const settings = recordings.map(({ setting }) => setting);
  const [first = [], ...others] = settings;
  return first.map((line) => {
    const title = line.slice(0, line.indexOf(":") + 1);
    const values = [line, ...others.flatMap((other) => other.filter((each) => each.startsWith(title)))].map(
      (each) => each.slice(title.length).trim(),
    );
    return `${title} ${[...new Set(values)].join(" | ")}`;
  });
}
