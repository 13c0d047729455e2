// Runs the verb that the command line names, and turns its outcome into an exit code. The library and the code of a verb
// are loaded when a verb runs: `--help` and completion need neither, and loading them takes longer than all they do.

import { createRequire } from "node:module";
import { parseArguments } from "./arguments/arguments.js";
import { programHelp, verbHelp } from "./arguments/help.js";
import { suggestionFor } from "./arguments/suggestion.js";
import { UsageError } from "./arguments/usage-error.js";
import { benchVerb } from "./bench/verb.js";
import { completionVerb } from "./completion/verb.js";
import { connectVerb } from "./connect/verb.js";
import { doctorVerb } from "./doctor/verb.js";
import { EXIT } from "./exit-codes.js";
import { completeURL } from "./connection/peer-options.js";
import { inspectVerb } from "./inspect/verb.js";
import { pingVerb } from "./ping/verb.js";
import { publishVerb } from "./publish/verb.js";
import { serveVerb } from "./serve/verb.js";
import type { Console } from "./terminal/console.js";
import { escaped } from "./terminal/escape.js";
import type { Verb } from "./verb.js";
import { watchVerb } from "./watch/verb.js";

const VERBS: readonly Verb[] = [
  connectVerb,
  pingVerb,
  watchVerb,
  publishVerb,
  serveVerb,
  doctorVerb,
  benchVerb,
  inspectVerb,
];
/** Not in the list of verbs: it concerns the command itself. */
const COMPLETION = completionVerb(VERBS);

/** Reports errors on stderr and in the exit code. Rejects only for a bug. */
export async function runProgram(words: readonly string[], console: Console): Promise<number> {
  const [first, ...rest] = words as readonly [string | undefined, ...string[]];
  try {
    if (first === undefined) throw new UsageError("Expected a verb.");
    if (first === "--help" || first === "-h" || first === "help") return help(rest[0], console);
    if (first === "--version" || first === "-V" || first === "version") {
      console.print(version());
      return EXIT.ok;
    }
    return await runVerb(verbNamed(first), rest, console);
  } catch (error) {
    return await report(error, first, console);
  }
}

async function runVerb(verb: Verb, words: readonly string[], console: Console): Promise<number> {
  if (words.includes("--help") || words.includes("-h")) return help(verb.name, console);
  const given = parseArguments(words, verb.options, verb.unit);
  const [min, max] = verb.operandCount;
  const { operands } = given;
  if (operands.length < min) throw new UsageError(`Expected ${verb.operands}.`);
  if (operands.length > max) throw new UsageError(`Unexpected "${operands[max] ?? ""}".`);
  try {
    return await verb.run(given, console);
  } catch (error) {
    const code = await report(error, verb.name, console);
    if (error instanceof UsageError || !verb.operands.startsWith("<url>")) return code;
    const { openingAdvice } = await import("./connection/opening-advice.js");
    const advice = await openingAdvice(error, completeURL(operands[0]), given);
    if (advice !== null) console.say(escaped(advice));
    return code;
  }
}

function help(name: string | undefined, console: Console): number {
  console.print(name === undefined ? programHelp(VERBS) : verbHelp(verbNamed(name)));
  return EXIT.ok;
}

function verbNamed(name: string): Verb {
  const found = [...VERBS, COMPLETION].find((verb) => verb.name === name);
  if (found !== undefined) return found;
  const names = VERBS.map((verb) => verb.name);
  const near = suggestionFor(name, [...names, COMPLETION.name]);
  if (/^wss?:|^https?:/i.test(name))
    throw new UsageError(`Expected a verb first, got a URL. Try: holdfast connect ${name}`);
  const problem = name.startsWith("-") ? "Expected a verb first, got" : "There is no verb";
  throw new UsageError(`${problem} "${name}".${near} Verbs: ${names.join(", ")}.`);
}

async function report(error: unknown, verb: string | undefined, console: Console): Promise<number> {
  if (console.interrupted.aborted && error === console.interrupted.reason) return EXIT.interrupted;
  if (error instanceof UsageError) {
    console.say(`holdfast: ${escaped(error.message)}`);
    const page = [...VERBS, COMPLETION].some(({ name }) => name === verb)
      ? `holdfast ${verb ?? ""} --help`
      : "holdfast --help";
    console.say(`See \`${page}\`.`);
    return EXIT.usage;
  }
  const library = await import("../index.js");
  if (!(error instanceof library.HoldfastError)) throw error;
  console.say(`holdfast: ${escaped(error.message)}`);
  const { InvalidArgumentError, InvalidHeaderError, InvalidURLError, OpenTimeoutError, TooSlowError } =
    library;
  const isUsageError = [InvalidArgumentError, InvalidHeaderError, InvalidURLError].some(
    (type) => error instanceof type,
  );
  if (isUsageError || verb === "ping") return EXIT.usage;
  const isTimeout = error instanceof OpenTimeoutError || error instanceof TooSlowError;
  return isTimeout ? EXIT.timeout : EXIT.failed;
}

function version(): string {
  const manifest: unknown = createRequire(import.meta.url)("../../package.json");
  return (manifest as { version: string }).version; // npm publishes no package without a version.
}
