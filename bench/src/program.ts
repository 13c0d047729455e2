// The command line of the programs of `npm run bench -- NAME`.

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

/**
 * Runs `main` with the options of the command line, or prints `help`. Where an option or `main` fails, the error is
 * printed, and the exit status is 2.
 */
export async function runProgram<const Given extends Defaults>(
  help: string,
  defaults: Given,
  main: (values: Values<Given>) => unknown,
): Promise<void> {
  let values: ReturnType<typeof readOptions>;
  try {
    values = readOptions(defaults);
  } catch (error) {
    fail((error as Error).message); // It is about the options, and needs no stack.
    return;
  }
  if (values === null) process.stdout.write(help);
  // Each value has the type that its default asks for.
  else
    try {
      await main(values as Values<Given>);
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

function positive(name: string, text: string): number {
  const number = Number(text);
  const isWhole = name !== "seconds";
  if (number > 0 && (isWhole ? Number.isSafeInteger(number) : Number.isFinite(number))) return number;
  throw new Error(`Expected \`--${name}\` to be a positive ${isWhole ? "whole " : ""}number, got "${text}"`);
}
