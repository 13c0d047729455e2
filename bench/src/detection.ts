// `npm run bench -- detection`: simulates healthy and dead connections, and prints how often each way of detection is
// wrong, and how long it takes.

import { parseArgs } from "node:util";
import { renderDetection } from "./detection/render.js";
import { positiveCount } from "./positive-count.js";

const HELP = `npm run bench -- detection [options]

  --hours N   connection hours for each network (default 1000)
  --drops N   silent drops (default 10000)
  --seed N    of the random numbers (default 1)
`;

try {
  const { values } = parseArgs({
    options: {
      hours: { type: "string", default: "1000" },
      drops: { type: "string", default: "10000" },
      seed: { type: "string", default: "1" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) process.stdout.write(HELP);
  else {
    process.stdout.write(
      renderDetection({
        hours: positiveCount("hours", values.hours),
        drops: positiveCount("drops", values.drops),
        seed: positiveCount("seed", values.seed),
      }),
    );
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
