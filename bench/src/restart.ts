// `npm run bench -- restart`: replaces a server with many connected clients by its successor, under load. Prints
// a table.

import { parseArgs } from "node:util";
import { endAllAtExit } from "./machine/processes.js";
import { play, type Restart } from "./restart/play.js";
import { positiveCount } from "./positive-count.js";
import { renderHead, renderRow } from "./restart/render.js";

const HELP = `npm run bench -- restart [options]

  --clients N    number of clients (default 2000)
  --processes N  number of client processes (default 4)
  --code N       close code (default 1001; with 1012 clients wait for 5 to 30 s)
`;

/** The scenarios, which take less than a minute in total. `code` is the code of the Closes. */
function scenes(code: number): readonly Restart[] {
  return [
    { port: "shared", code, spread: 0 },
    { port: "shared", code, spread: 3_000 },
    { port: "handed over", code, spread: 3_000 },
  ];
}

try {
  const { values } = parseArgs({
    options: {
      clients: { type: "string", default: "2000" },
      processes: { type: "string", default: "4" },
      code: { type: "string", default: "1001" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) process.stdout.write(HELP);
  else {
    const processes = positiveCount("processes", values.processes);
    const clients = Math.ceil(positiveCount("clients", values.clients) / processes) * processes;
    endAllAtExit();
    process.stdout.write(renderHead());
    for (const restart of scenes(positiveCount("code", values.code))) {
      process.stdout.write(renderRow(restart, await play(restart, { clients, processes, interval: 1_000 })));
    }
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
