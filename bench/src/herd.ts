// `npm run bench -- herd`: simulates how clients reconnect after an outage of their server. Prints a table;
// --write saves it to HERD.md.

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { renderHerd } from "./herd/render.js";
import { positiveCount } from "./positive-count.js";

const HELP = `npm run bench -- herd [options]

  --clients N   how many clients (default 10000)
  --seed N      of the random numbers (default 1)
  --write       write the table to bench/HERD.md
`;

try {
  const { values } = parseArgs({
    options: {
      clients: { type: "string", default: "10000" },
      seed: { type: "string", default: "1" },
      write: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) process.stdout.write(HELP);
  else {
    const table = renderHerd({
      clients: positiveCount("clients", values.clients),
      seed: positiveCount("seed", values.seed),
    });
    process.stdout.write(table);
    if (values.write) writeFileSync(fileURLToPath(new URL("../HERD.md", import.meta.url)), table);
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
