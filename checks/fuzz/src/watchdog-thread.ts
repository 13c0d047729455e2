// The other half of watchdog.ts, in its own thread.

import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { findingsFolder, writeInput } from "./corpus.js";
import type { TargetName } from "./targets.js";
import type { Watched } from "./watchdog.js";

const { counter, input, target, limit } = workerData as Watched & {
  readonly target: TargetName;
  readonly limit: number;
};

for (let last = -1; ; last = Atomics.load(counter, 0)) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, limit);
  if (Atomics.load(counter, 0) !== last) continue;
  const path = writeInput(findingsFolder(target), input.slice(0, counter[1]));
  writeSync(2, `${target}: an input did not return within ${limit} ms: ${path}\n`);
  // No other signal ends a process whose main thread is busy.
  process.kill(process.pid, "SIGKILL");
}
