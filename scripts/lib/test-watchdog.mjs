// Loaded into every process that runs a test file (node --import). It ends a process that does not exit,
// because a test waits for ever or left a socket, a timer or a child process open, and reports what keeps it
// alive. Node 20 and 22 would only kill it silently; Node 24 would wait.

import { writeSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";

/** Time limit of a test file, in milliseconds. */
const limit = Number(process.env.HOLDFAST_TEST_FILE_LIMIT ?? 120_000);
/** A machine that has more to do than it has cores is slower by that factor; more than this is no longer the reason. */
const slowest = 5;

if (process.env.NODE_TEST_CONTEXT?.startsWith("child") === true) watch(limit);

function watch(duration) {
  setTimeout(giveUp, duration).unref();
}

function giveUp() {
  const slowness = Math.min(slowest, loadavg()[0] / availableParallelism());
  const remaining = limit * slowness - performance.now();
  if (remaining > 1_000) {
    watch(remaining);
    return;
  }
  const alive = process.getActiveResourcesInfo().join(", ") || "nothing that Node reports";
  writeSync(
    2,
    `\n${process.argv[1]}\n  still runs after ${Math.round(performance.now() / 1_000)} s. What keeps it alive: ${alive}\n\n`,
  );
  // On this event node:test reports the unfinished tests, by name, as cancelled.
  process.emit("beforeExit", 1);
  setTimeout(() => process.exit(1), 500);
}
