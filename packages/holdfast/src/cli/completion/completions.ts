// The options and operands that shells complete, from the same tables as `--help`.

import type { OptionSpec } from "../arguments/option-spec.js";
import type { Verb } from "../verb.js";

export interface CompletedOption {
  readonly long: string;
  readonly short: string | null;
  readonly help: string;
  /** The kind of value: none, optional (after `=`), any text, or a file name. */
  readonly value: "none" | "optional" | "text" | "file";
  readonly isList: boolean;
}

export function optionsOf({ options }: Verb): CompletedOption[] {
  const known = Object.entries(options).map(([long, spec]) => completed(long, spec));
  return [...known, { long: "help", short: "h", help: "show this page", value: "none", isList: false }];
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

/** The possible values of the operand; empty if it can be anything. */
export function operandsOf({ operands }: Verb): string[] {
  return operands.includes("|") ? operands.split("|") : [];
}

/** Quotes the text as one word of a POSIX shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
