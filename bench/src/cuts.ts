// `npm run bench -- cuts`: cuts the sockets of sessions under load at random byte offsets. Fails if a message is lost,
// duplicated or out of order.

import { parseArgs } from "node:util";
import { play } from "./cuts/play.js";
import { isKept, renderCuts } from "./cuts/render.js";

const HELP = `npm run bench -- cuts [options]

  --count N    number of cuts (default 10000)
  --clients N  number of sessions (default 8)
  --seed N     decides the messages and the offsets (default 1)
`;

try {
  const { values } = parseArgs({
    options: {
      count: { type: "string", default: "10000" },
      clients: { type: "string", default: "8" },
      seed: { type: "string", default: "1" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) process.stdout.write(HELP);
  else {
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
