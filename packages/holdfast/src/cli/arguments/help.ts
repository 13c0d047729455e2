// Generates the pages of `--help`.

import { EXIT_CODE_HELP } from "../exit-codes.js";
import type { Verb } from "../verb.js";
import type { OptionSpec, OptionSpecs } from "./option-spec.js";

export function programHelp(verbs: readonly Verb[]): string {
  const rows = verbs.map(({ name, operands, summary }): Row => [`${name} ${operands}`, summary]);
  return `holdfast: WebSockets on the command line

Usage: holdfast <verb> [options]

${table(rows)}

  holdfast <verb> --help        a verb's options and examples
  holdfast completion <shell>   a completion script for bash, zsh or fish
  holdfast --version

Try:
  holdfast serve 8080                       an echo server, in one terminal
  holdfast connect ws://localhost:8080      talk to it, in another one
  holdfast ping -c 5 ws://localhost:8080    how far away is it?

${EXIT_CODE_HELP}`;
}

export function verbHelp(verb: Verb): string {
  return `holdfast ${verb.name}: ${verb.summary}

Usage: holdfast ${verb.name} [options] ${verb.operands}

${optionTable(verb.options)}

${durationNote(verb)}${verb.notes}`;
}

function durationNote({ options, unit }: Verb): string {
  if (!Object.values(options).some(({ value }) => value === "TIME")) return "";
  return `A TIME without a unit is in ${unit === "s" ? "seconds" : "milliseconds"}; every verb accepts 500ms, 2s or 1.5m.\n\n`;
}

type Row = readonly [term: string, meaning: string];

function optionTable(specs: OptionSpecs): string {
  const rows = Object.entries(specs).map(([name, spec]): Row => [optionSyntax(name, spec), spec.help]);
  return table([...rows, ["-h, --help", "show this page"]]);
}

function optionSyntax(name: string, { short, value, isValueOptional }: OptionSpec): string {
  const letter = short === undefined ? "    " : `-${short}, `;
  if (value === undefined) return `${letter}--${name}`;
  return isValueOptional === true ? `${letter}--${name}[=${value}]` : `${letter}--${name} ${value}`;
}

function table(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([term]) => term.length));
  return rows.map(([term, meaning]) => `  ${term.padEnd(width)}  ${meaning}`).join("\n");
}
