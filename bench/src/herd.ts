// `npm run bench -- herd`: simulates how clients reconnect after an outage of their server. Prints a table;
// --write saves it to HERD.md.

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { renderHerd } from "./herd/render.js";
import { runProgram } from "./program.js";

const HELP = `npm run bench -- herd [options]

  --clients N   how many clients (default 10000)
  --seed N      of the random numbers (default 1)
  --write       write the table to bench/HERD.md
`;

await runProgram(HELP, { clients: 10_000, seed: 1, write: false }, ({ clients, seed, write }) => {
  const table = renderHerd({ clients, seed });
  process.stdout.write(table);
  if (write) writeFileSync(fileURLToPath(new URL("../HERD.md", import.meta.url)), table);
});
