// `npm run bench -- cuts`: cuts the sockets of sessions under load at random byte offsets. Fails if a message is lost,
// duplicated or out of order. With --races, two sockets resume one session at the same time.

import { parseArgs } from "node:util";
import { play } from "./cuts/play.js";
import { race } from "./cuts/races.js";
import { isKept, renderCuts, renderRaces } from "./cuts/render.js";

const HELP = `npm run bench -- cuts [options]

  --count N    number of cuts (default 10000)
  --clients N  number of sessions (default 24)
  --seed N     decides the messages and the offsets (default 1)
  --races N    two sockets race for one session, so many times, instead of cuts
`;

try {
  const { values } = parseArgs({
    options: {
      count: { type: "string", default: "10000" },
      clients: { type: "string", default: "24" },
      seed: { type: "string", default: "1" },
      races: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) process.stdout.write(HELP);
  else if (values.races !== undefined) {
    const report = await race(wholeNumber("races", values.races), wholeNumber("seed", values.seed));
    process.stdout.write(renderRaces(report));
    process.exitCode = report.decided === report.races && report.complete === report.races ? 0 : 1;
  } else {
    const report = await play({
      count: wholeNumber("count", values.count),
      clients: wholeNumber("clients", values.clients),
      seed: wholeNumber("seed", values.seed),
      onProgress: (cuts) => process.stderr.write(`${cuts} cuts\n`),
    });
    process.stdout.write(renderCuts(report));
    process.exitCode = isKept(report) ? 0 : 1;
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 2;
}

function wholeNumber(option: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new Error(`Expected \`--${option}\` to be a positive whole number, got "${text}"`);
}
