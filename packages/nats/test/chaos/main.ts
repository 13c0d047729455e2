// Runs the chaos test as long and as large as wanted, and prints what came out:
//
//   node packages/nats/test-dist/chaos/main.js --seconds 60 --clients 1000 --natsKills 20

import { parseArgs } from "node:util";
import { runChaos } from "./chaos.js";

const DEFAULTS = {
  seconds: 60,
  clients: 1_000,
  topics: 50,
  rate: 100,
  processKills: 10,
  subscriptionKills: 1,
  natsKills: 20,
};

const { values } = parseArgs({
  options: Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, { type: "string" as const }])),
});
const given = Object.fromEntries(Object.entries(values).map(([name, text]) => [name, Number(text)]));
const result = await runChaos({ ...DEFAULTS, ...given });
console.log(JSON.stringify(result, null, 2));
process.exitCode = result.lost + result.repeated + result.conflicts + result.stuck > 0 ? 1 : 0;
