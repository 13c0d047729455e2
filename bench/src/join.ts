// Several runs as one: what `--json` wrote, with the rounds of one run behind those of the run before.

import { readFileSync } from "node:fs";
import type { Sample } from "./run.js";

/** What `--json` writes. */
export interface Recording {
  readonly setting: readonly string[];
  readonly samples: readonly Sample[];
}

/** @throws Error that names the file which is none of ours */
export function readRecordings(files: readonly string[]): Recording[] {
  return files.map((file) => {
    const recording = JSON.parse(readFileSync(file, "utf8")) as Partial<Recording>; // checked next
    if (Array.isArray(recording.setting) && Array.isArray(recording.samples)) return recording as Recording;
    throw new Error(`Expected \`--join\` to name files that \`--json\` wrote, got ${file}`);
  });
}

/** The setting is that of the first run, with the lines that others do not share named as what they are. */
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
