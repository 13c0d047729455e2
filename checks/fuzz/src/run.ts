// Fuzzes one target: node --import ./engine/register.js run.js <target> <seconds> <seed>

import { corpusFolder, findingsFolder, keptFolder, readInputs, writeInput } from "./corpus.js";
import { runFuzzer } from "./engine/fuzzer.js";
import { Random } from "./engine/random.js";
import { isTargetName, TARGETS } from "./targets.js";
import { Watchdog } from "./watchdog.js";

const HANG = 10_000;

const [name = "", seconds = "10", seed = "1"] = process.argv.slice(2);
if (!isTargetName(name)) throw new Error(`Expected one of ${Object.keys(TARGETS).join(", ")}, got ${name}`);

const target = await TARGETS[name]();
const seeds = [...readInputs(corpusFolder(name)), ...readInputs(keptFolder(name))].map(([, input]) => input);
const watchdog = new Watchdog(name, HANG);
const start = performance.now();
const end = start + Number(seconds) * 1000;

const result = runFuzzer({
  target,
  seeds,
  random: new Random(Number(seed)),
  // Read the clock only occasionally: that takes as long as a short execution.
  mayGoOn: (executions) => executions % 64 !== 0 || performance.now() < end,
  onInput: (input) => watchdog.note(input),
});

for (const input of result.kept) writeInput(keptFolder(name), input);
const took = (performance.now() - start) / 1000;
const rate = Math.round(result.executions / took).toLocaleString("en");
const covered = `${result.coveredAfter} edges, ${result.coveredAfter - result.coveredBefore} of them new`;
console.log(
  `${name.padEnd(12)} ${result.executions.toLocaleString("en")} executions in ${took.toFixed(1)} s (${rate}/s); ` +
    `${covered}; ${seeds.length} inputs at first, ${result.kept.length} more kept`,
);
if (result.finding !== null) {
  const path = writeInput(findingsFolder(name), result.finding.input);
  const { error } = result.finding;
  console.error(`${name}: a promise is broken; the input is ${path}`);
  console.error(error instanceof Error ? error.stack : error);
  process.exitCode = 1;
}
