// `holdfast completion`: prints a shell's completion script for the verbs and options of this version.

import type { Arguments } from "../arguments/arguments.js";
import { UsageError } from "../arguments/usage-error.js";
import { EXIT } from "../exit-codes.js";
import type { Console } from "../terminal/console.js";
import type { Verb } from "../verb.js";
import { bashCompletion } from "./bash.js";
import { fishCompletion } from "./fish.js";
import { zshCompletion } from "./zsh.js";

const SCRIPTS: Readonly<Record<string, (verbs: readonly Verb[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

const SHELLS: readonly string[] = Object.keys(SCRIPTS);

/** @param verbs the other verbs */
export function completionVerb(verbs: readonly Verb[]): Verb {
  const completion: Verb = {
    name: "completion",
    summary: "print a script that completes verbs and options in your shell",
    operands: SHELLS.join("|"),
    operandCount: [1, 1],
    unit: "ms",
    options: {},
    notes: `bash, in ~/.bashrc:                     source <(holdfast completion bash)
zsh, in ~/.zshrc, after compinit:       source <(holdfast completion zsh)
fish, once:  holdfast completion fish > ~/.config/fish/completions/holdfast.fish`,
    run: (given: Arguments, console: Console) => {
      const [shell] = given.operands;
      if (!SHELLS.includes(shell)) {
        return Promise.reject(
          new UsageError(`Expected the name of a shell (${SHELLS.join(", ")}), got "${shell}".`),
        );
      }
      console.printRaw(SCRIPTS[shell]([...verbs, completion]));
      return Promise.resolve(EXIT.ok);
    },
  };
  return completion;
}
