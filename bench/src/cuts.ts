// `npm run bench -- cuts`: cuts the sockets of sessions under load at random byte offsets. Fails if a message is lost,
// duplicated or out of order. With --races, two sockets resume one session at the same time.

import { play } from "./cuts/play.js";
import { race } from "./cuts/races.js";
import { isKept, renderCuts, renderRaces } from "./cuts/render.js";
import { runProgram } from "./program.js";

const HELP = `npm run bench -- cuts [options]

  --count N    number of cuts (default 10000)
  --clients N  number of sessions (default 24)
  --seed N     decides the messages and the offsets (default 1)
  --races N    two sockets race for one session, so many times, instead of cuts
`;

await runProgram(
  HELP,
  { count: 10_000, clients: 24, seed: 1, races: null },
  async ({ count, clients, seed, races }) => {
    if (races !== null) {
      const report = await race(races, seed);
      process.stdout.write(renderRaces(report));
      process.exitCode = report.decided === report.races && report.complete === report.races ? 0 : 1;
    } else {
      const onProgress = (cuts: number): void => void process.stderr.write(`${cuts} cuts\n`);
      const report = await play({ count, clients, seed, onProgress });
      process.stdout.write(renderCuts(report));
      process.exitCode = isKept(report) ? 0 : 1;
    }
  },
);
