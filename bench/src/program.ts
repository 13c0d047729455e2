// The command lines of the benchmarks.

import { inspect, parseArgs, type ParseArgsConfig } from "node:util";

/** Options by name. A number: the default of a positive number. `null`: the same without a default. `false`: a flag. */
type Defaults = Readonly<Record<string, number | null | false>>;

type Values<Given extends Defaults> = {
  readonly [Name in keyof Given]: Given[Name] extends false
    ? boolean
    : Given[Name] extends number
      ? number
      : number | null;
};

/** Runs `main` with the options of the command line, as `runCommand` does. */
export function runProgram<const Given extends Defaults>(
  help: string,
  defaults: Given,
  main: (values: Values<Given>) => unknown,
): Promise<void> {
  // Each value has the type that its default asks for.
  return runCommand(help, () => readOptions(defaults) as Values<Given> | null, main);
}

/**
 * Runs `main` with the result of `read`, or prints `help` if that is null. If either throws, the error is printed, and
 * the exit status is 2.
 */
export async function runCommand<Options>(
  help: string,
  read: () => Options | null,
  main: (options: Options) => unknown,
): Promise<void> {
  let options: Options | null;
  try {
    options = read();
  } catch (error) {
    fail((error as Error).message); // It is about the options, and needs no stack.
    return;
  }
  if (options === null) process.stdout.write(help);
  else
    try {
      await main(options);
    } catch (error) {
      fail(inspect(error));
    }
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 2;
}

/** Null if help was requested. @throws Error that names the option, the expected value and the actual one. */
function readOptions(defaults: Defaults): Record<string, number | boolean | null> | null {
  const options: NonNullable<ParseArgsConfig["options"]> = { help: { type: "boolean", short: "h" } };
  for (const [name, value] of Object.entries(defaults))
    options[name] = { type: value === false ? "boolean" : "string" };
  const { values } = parseArgs({ options });
  if (values["help"] === true) return null;
  return Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => {
      const given = values[name];
      return [name, typeof given === "string" ? positive(name, given) : given === true || value];
    }),
  );
}

/** @throws Error */
export function positive(name: string, text: string): number {
  const number = Number(text);
  const isWhole = name !== "seconds";
  if (number > 0 && (isWhole ? Number.isSafeInteger(number) : Number.isFinite(number))) return number;
  throw new Error(`Expected \`--${name}\` to be a positive ${isWhole ? "whole " : ""}number, got "${text}".`);
}
