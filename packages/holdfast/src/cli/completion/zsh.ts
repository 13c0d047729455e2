// The script of `holdfast completion zsh`.

import type { Verb } from "../verb.js";
import { operandsOf, optionsOf, quoted, type CompletedOption } from "./completions.js";

/** Works both as a file `_holdfast` in $fpath, and sourced after compinit. */
export function zshCompletion(verbs: readonly Verb[]): string {
  const descriptions = verbs.map(({ name, summary }) => quoted(`${name}:${summary}`));
  return `#compdef holdfast
# zsh completion for holdfast. In ~/.zshrc, after compinit: source <(holdfast completion zsh)
_holdfast() {
  local -a verbs=(
    ${descriptions.join("\n    ")}
  )
  if (( CURRENT == 2 )); then
    _describe 'verb' verbs
    return
  fi
  local verb=$words[2]
  shift words
  (( CURRENT-- ))
  case $verb in
${verbs.map(verbCase).join("\n")}
    help) _arguments '1:verb:(${verbs.map(({ name }) => name).join(" ")})' ;;
  esac
}
if [[ $funcstack[1] == _holdfast ]]; then
  _holdfast "$@"
else
  compdef _holdfast holdfast
fi
`;
}

function verbCase(verb: Verb): string {
  const operands = operandsOf(verb);
  // An operand that can be anything gets no spec: with one, zsh would list options but insert none.
  const operand = operands.length === 0 ? [] : [quoted(`1:${verb.operands}:(${operands.join(" ")})`)];
  const specs = [...optionsOf(verb).flatMap(specsOf), ...operand];
  return `    ${verb.name})
      _arguments -S \\
        ${specs.join(" \\\n        ")}
      ;;`;
}

/** One spec per spelling. */
function specsOf({ long, short, help, value, isList }: CompletedOption): string[] {
  const names = [`--${long}`, ...(short === null ? [] : [`-${short}`])];
  const meaning = `[${help.replaceAll(/[[\]:\\]/g, "\\$&")}]`;
  return names.map((name) => {
    const once = isList ? "*" : names.length === 1 ? "" : `(${names.join(" ")})`;
    return quoted(`${once}${name}${separator(value, name)}${meaning}${argument(value)}`);
  });
}

function separator(value: CompletedOption["value"], name: string): string {
  if (value === "optional") return "=-";
  return value === "none" || !name.startsWith("--") ? "" : "=";
}

function argument(value: CompletedOption["value"]): string {
  return { none: "", optional: "::value: ", text: ":value: ", file: ":file:_files" }[value];
}
