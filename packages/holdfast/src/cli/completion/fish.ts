// The script of `holdfast completion fish`.

import type { Verb } from "../verb.js";
import { operandsOf, optionsOf, type CompletedOption } from "./completions.js";

export function fishCompletion(verbs: readonly Verb[]): string {
  const lines = [
    "# fish completion for holdfast: holdfast completion fish > ~/.config/fish/completions/holdfast.fish",
    "complete -c holdfast -f",
    ...verbs.map(
      ({ name, summary }) =>
        `complete -c holdfast -n __fish_use_subcommand -a ${quoted(name)} -d ${quoted(summary)}`,
    ),
    ...verbs.flatMap(verbLines),
  ];
  return `${lines.join("\n")}\n`;
}

function verbLines(verb: Verb): string[] {
  const begin = `complete -c holdfast -n ${quoted(`__fish_seen_subcommand_from ${verb.name}`)}`;
  const operands = operandsOf(verb);
  return [
    ...(operands.length === 0 ? [] : [`${begin} -a ${quoted(operands.join(" "))}`]),
    ...optionsOf(verb).map((option) => `${begin} ${optionWords(option)}`),
  ];
}

function optionWords({ long, short, help, value }: CompletedOption): string {
  const letter = short === null ? "" : ` -s ${short}`;
  const takes = { none: "", optional: "", text: " -x", file: " -r -F" }[value];
  return `-l ${long}${letter}${takes} -d ${quoted(help)}`;
}

/** Quotes the text as one word of fish, where a backslash is special even within quotation marks. */
function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, "\\$&")}'`;
}
