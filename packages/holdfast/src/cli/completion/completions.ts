// What there is to complete: of each verb its options and operands, from the tables that `--help` shows.

import type { OptionSpec } from "../arguments/option-spec.js";
import type { Verb } from "../verb.js";

export interface CompletedOption {
  readonly long: string;
  readonly short: string | null;
  readonly help: string;
  /** What to complete as its value: nothing known, a file, or no value at all. `=` stands before an optional one. */
  readonly value: "none" | "optional" | "text" | "file";
  readonly isList: boolean;
}

export function optionsOf({ options }: Verb): CompletedOption[] {
  const known = Object.entries(options).map(([long, spec]) => completed(long, spec));
  return [...known, { long: "help", short: "h", help: "this page", value: "none", isList: false }];
}

function completed(long: string, spec: OptionSpec): CompletedOption {
  const { short = null, help, isList = false } = spec;
  return { long, short, help, value: valueOf(spec), isList };
}

function valueOf({ value, isValueOptional }: OptionSpec): CompletedOption["value"] {
  if (value === undefined) return "none";
  if (isValueOptional === true) return "optional";
  return value === "FILE" ? "file" : "text";
}

/** The words that an operand is one of; empty where it can be anything. */
export function operandsOf({ operands }: Verb): string[] {
  return operands.includes("|") ? operands.split("|") : [];
}

/** As one word of a POSIX shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
