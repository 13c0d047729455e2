// Parses the command line into options and operands.

import { parseArgs } from "node:util";
import { isSendableCloseCode } from "../../shared/close-code.js";
import { parseDuration, type DurationUnit } from "./duration.js";
import type { OptionSpec, OptionSpecs } from "./option-spec.js";
import { parseSize, sizeText } from "./size.js";
import { suggestionFor } from "./suggestion.js";
import { UsageError } from "./usage-error.js";

/** @throws UsageError */
export function parseArguments(
  words: readonly string[],
  specs: OptionSpecs,
  unit: DurationUnit = "ms",
): Arguments {
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [
      name,
      {
        type: takesNextWord(spec) ? ("string" as const) : ("boolean" as const),
        ...(spec.short === undefined ? {} : { short: spec.short }),
      },
    ]),
  );
  // Not strict: the errors of parseArgs contain no suggestions.
  const { tokens } = parseArgs({
    args: [...words],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<string, string[]>();
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined;
    if (spec === undefined) throw unknownOption(token.rawName, specs);
    const value = checkValue(token.rawName, token.value, token.inlineValue === true, spec);
    const earlier = values.get(token.name);
    if (earlier !== undefined && spec.isList !== true) {
      throw new UsageError(`\`${token.rawName}\` was given more than once.`);
    }
    values.set(token.name, [...(earlier ?? []), value]);
  }
  return new Arguments(values, operands, unit);
}

function takesNextWord(spec: OptionSpec): boolean {
  return spec.value !== undefined && spec.isValueOptional !== true;
}

function unknownOption(name: string, specs: OptionSpecs): UsageError {
  const names = Object.keys(specs).map((known) => `--${known}`);
  return new UsageError(`There is no option \`${name}\`.${suggestionFor(name, names)}`);
}

function checkValue(name: string, value: string | undefined, isInline: boolean, spec: OptionSpec): string {
  if (spec.value === undefined) {
    if (value !== undefined)
      throw new UsageError(`\`${name}\` is a switch and takes no value, got "${value}".`);
    return "";
  }
  if (spec.isValueOptional === true) return value ?? "";
  const isNextOption = !isInline && value !== undefined && /^-[^\d]/.test(value);
  if (value !== undefined && !isNextOption) return value;
  throw new UsageError(`\`${name}\` needs a value: ${name} ${spec.value}.`);
}

/** The parsed command line. The methods validate and convert option values. */
export class Arguments {
  readonly operands: readonly string[];
  /** The unit of a duration that is given without one. All options of a verb share it. */
  readonly unit: DurationUnit;
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(
    values: ReadonlyMap<string, readonly string[]>,
    operands: readonly string[],
    unit: DurationUnit,
  ) {
    this.#values = values;
    this.operands = operands;
    this.unit = unit;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  text(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  list(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** Milliseconds; null for `off`. */
  duration<Fallback>(name: string, fallback: Fallback): number | null | Fallback {
    const text = this.text(name);
    if (text === undefined) return fallback;
    return text === "off"
      ? null
      : this.#parsed(
          name,
          text,
          (value) => parseDuration(value, this.unit),
          "a duration such as 500ms, 20s or 2m",
        );
  }

  /** Milliseconds, for options without `off`. */
  time(name: string, fallback: number): number {
    const value = this.duration(name, fallback);
    if (value !== null) return value;
    throw new UsageError(`Expected \`--${name}\` to be a duration: there is no ${name} "off".`);
  }

  /** A whole number from `min` to `max`. */
  count<Fallback>(
    name: string,
    fallback: Fallback,
    min = 1,
    max = Number.MAX_SAFE_INTEGER,
  ): number | Fallback {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    return this.#parsed(name, text, (value) => parseCount(value, min, max), `a whole number ${range}`);
  }

  /** A code that a Close frame may carry. */
  closeCode(name: string, fallback: number): number {
    const text = this.text(name);
    return text === undefined ? fallback : this.#parsed(name, text, parseCloseCode, CLOSE_CODES);
  }

  /** A number of bytes. */
  size<Fallback>(name: string, fallback: Fallback, min: number, max: number): number | Fallback {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const range = `from ${sizeText(min)} to ${sizeText(max)}`;
    return this.#parsed(
      name,
      text,
      (value) => parseSize(value, min, max),
      `a number of bytes such as 64, 16k or 1m, ${range}`,
    );
  }

  #parsed<Value>(name: string, text: string, parse: (text: string) => Value | null, expected: string): Value {
    const value = parse(text);
    if (value !== null) return value;
    throw new UsageError(`Expected \`--${name}\` to be ${expected}, got "${text}".`);
  }
}

/** The range of `parseCloseCode()`, for error messages. */
export const CLOSE_CODES = "a code that may be sent: 1000 to 1003, 1007 to 1014 or 3000 to 4999";

export function parseCloseCode(text: string): number | null {
  const code = parseCount(text, 1000, 4999);
  return code !== null && isSendableCloseCode(code) ? code : null;
}

export function parseCount(text: string, min: number, max: number): number | null {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  return value >= min && value <= max ? value : null;
}
