// Loaded into every process that runs a test file (node --import). It ends a process that does not exit,
// because a test waits for ever or left a socket, a timer or a child process open, and reports what keeps it
// alive. Node 20 and 22 would only kill it silently; Node 24 would wait.

import { writeSync } from "node:fs";

/** Time limit of a test file, in milliseconds. */
const limit = Number(process.env.HOLDFAST_TEST_FILE_LIMIT ?? 120_000);

if (process.env.NODE_TEST_CONTEXT?.startsWith("child") === true) {
  const watchdog = setTimeout(giveUp, limit);
  watchdog.unref();
}

function giveUp() {
  const alive = process.getActiveResourcesInfo().join(", ") || "nothing that Node reports";
  writeSync(
    2,
    `\n${process.argv[1]}\n  still runs after ${limit / 1_000} s. What keeps it alive: ${alive}\n\n`,
  );
  // On this event node:test reports the unfinished tests, by name, as cancelled.
  process.emit("beforeExit", 1);
  setTimeout(() => process.exit(1), 500);
}
