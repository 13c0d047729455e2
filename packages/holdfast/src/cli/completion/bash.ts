// The script of `holdfast completion bash`.

import type { Verb } from "../verb.js";
import { operandsOf, optionsOf, quoted, type CompletedOption } from "./completions.js";

/** Works with bash 3.2, the version of macOS. */
export function bashCompletion(verbs: readonly Verb[]): string {
  const names = verbs.map(({ name }) => name);
  return `# bash completion for holdfast. In ~/.bashrc: source <(holdfast completion bash)
_holdfast() {
  local word="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" words="" values="" files=""
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W ${quoted([...names, "--help", "--version"].join(" "))} -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${verbs.map(verbCase).join("\n")}
    help) words=${quoted(names.join(" "))} ;;
  esac
  if [[ " $files " == *" $previous "* ]]; then
    local IFS=$'\n' # A file's name may hold spaces.
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$word"))
  elif [[ " $values " != *" $previous "* ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  fi
}
complete -F _holdfast holdfast
`;
}

function verbCase(verb: Verb): string {
  const options = optionsOf(verb);
  const words = [...options.map(({ long }) => `--${long}`), ...operandsOf(verb)];
  const taking = (value: CompletedOption["value"]): string =>
    quoted(
      options
        .filter((option) => option.value === value)
        .flatMap(spellings)
        .join(" "),
    );
  return `    ${verb.name})
      words=${quoted(words.join(" "))}
      values=${taking("text")}
      files=${taking("file")}
      ;;`;
}

function spellings({ long, short }: CompletedOption): string[] {
  return [`--${long}`, ...(short === null ? [] : [`-${short}`])];
}
