import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { help, readArguments, type Options } from "./arguments.js";
import { chooseOtherEnds } from "./generators/choose.js";
import { chooseCores } from "./machine/cores.js";
import { describeMachine } from "./machine/describe.js";
import { joinRecordings, readRecordings, type Recording } from "./join.js";
import { endAllAtExit } from "./machine/processes.js";
import { planStages, type Stage } from "./plan.js";
import { renderChart } from "./report/chart.js";
import { renderMarkdown, renderText } from "./report/render.js";
import { summarize } from "./report/summary.js";
import { run } from "./run.js";
import { runCommand } from "./program.js";

await runCommand(help, readArguments, async (options) => {
  process.exitCode = await bench(options);
});

/** Returns 1 if something could not be measured. A missed bar is a result, not a failure. */
async function bench(options: Options): Promise<number> {
  const stages = planStages(options, tell);
  const { setting, samples } =
    options.join === null ? await measure(options, stages) : joinRecordings(readRecordings(options.join));
  const summaries = stages.map((stage) => summarize(stage, samples));
  process.stdout.write(renderText(summaries));
  if (options.json !== null)
    writeFileSync(options.json, `${JSON.stringify({ setting, samples }, null, 2)}\n`);
  if (options.writesResults) {
    writeFileSync(pathOf("../RESULTS.md"), renderMarkdown(setting, summaries));
    writeFileSync(pathOf("../results.svg"), renderChart(summaries));
  }
  return samples.some((sample) => sample.failure !== null) ? 1 : 0;
}

async function measure(options: Options, stages: readonly Stage[]): Promise<Recording> {
  endAllAtExit();
  const cores = chooseCores();
  const ends = chooseOtherEnds(options.generator, cores.generator, tell);
  const setting = describeMachine(stages, ends.generator, cores);
  for (const line of setting) tell(line);
  return { setting, samples: await run(stages, ends, cores, tell) };
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
