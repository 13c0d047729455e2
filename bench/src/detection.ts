// `npm run bench -- detection`: simulates healthy and dead connections, and prints how often each way of detection is
// wrong, and how long it takes.

import { renderDetection } from "./detection/render.js";
import { runProgram } from "./program.js";

const HELP = `npm run bench -- detection [options]

  --hours N   connection hours for each network (default 1000)
  --drops N   silent drops (default 10000)
  --seed N    of the random numbers (default 1)
`;

await runProgram(
  HELP,
  { hours: 1_000, drops: 10_000, seed: 1 },
  (options) => void process.stdout.write(renderDetection(options)),
);
