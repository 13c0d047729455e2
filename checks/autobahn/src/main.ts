// `npm run autobahn`: either end for the Autobahn testsuite. README.md describes how to run the other end.

import { readFileSync } from "node:fs";
import { parseCommand, USAGE, type Command } from "./arguments.js";
import { runCases } from "./client-driver.js";
import { startEchoServer } from "./echo-server.js";
import { readReport } from "./report.js";

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  try {
    return await perform(parseCommand(words));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 2;
  }
}

/** Resolves with the exit status. */
async function perform(command: Command): Promise<number> {
  switch (command.name) {
    case "help":
      console.log(USAGE);
      return 0;
    case "server": {
      const server = await startEchoServer(command);
      console.log(`Echoing at ${server.url}; Ctrl-C ends it.`);
      process.once("SIGINT", () => void server.close());
      return 0;
    }
    case "client": {
      const { run, failures } = await runCases(command, (line) => console.log(line));
      console.log(`${run} cases run, ${failures.length} of them did not complete; see the reports.`);
      return run > 0 && failures.length === 0 ? 0 : 1;
    }
    case "report": {
      const { cases, failed } = readReport(readFileSync(command.path, "utf8"));
      for (const { agent, id, behavior, behaviorClose } of failed) {
        console.log(`${agent} ${id}: ${behavior}, close ${behaviorClose}`);
      }
      console.log(`${cases} cases, ${failed.length} failed`);
      return cases > 0 && failed.length === 0 ? 0 : 1;
    }
  }
}
