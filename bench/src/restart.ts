// `npm run bench -- restart`: replaces a server with many connected clients by its successor, under load. Prints
// a table.

import { endAllAtExit } from "./machine/processes.js";
import { play, type Restart } from "./restart/play.js";
import { runProgram } from "./program.js";
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

await runProgram(HELP, { clients: 2_000, processes: 4, code: 1001 }, async (values) => {
  const { processes, code } = values;
  const clients = Math.ceil(values.clients / processes) * processes;
  endAllAtExit();
  process.stdout.write(renderHead());
  for (const restart of scenes(code))
    process.stdout.write(renderRow(restart, await play(restart, { clients, processes, interval: 1_000 })));
});
