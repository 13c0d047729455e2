// Parses the command line: `--help`, and `--sabotage=<what>`, which --help does not list (see sabotage.ts).

import { type Sabotage, SABOTAGES } from "./sabotage.js";

export type Command =
  | { readonly type: "help" }
  | { readonly type: "tell"; readonly sabotage: Sabotage | null }
  | { readonly type: "refuse"; readonly argument: string };

export const HELP = `npm start: shows in twenty seconds how Holdfast reacts to a bad network.

  A real server and a real client on this machine, and a proxy between them that
  delays and freezes the connection. Nothing leaves the machine. The exit status
  is 0 if every step succeeded, and 1 otherwise.

  --help      shows this text
  NO_COLOR=1  in the environment: no colours
`;

export function parseArguments(parameters: readonly string[]): Command {
  let sabotage: Sabotage | null = null;
  for (const argument of parameters) {
    if (argument === "--help" || argument === "-h") return { type: "help" };
    const found = SABOTAGES.find((what) => argument === `--sabotage=${what}`);
    if (found === undefined) return { type: "refuse", argument };
    sabotage = found;
  }
  return { type: "tell", sabotage };
}
