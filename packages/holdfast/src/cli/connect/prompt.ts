// A line that is edited at the bottom of the terminal, while messages appear above it.

import { createInterface, type Interface } from "node:readline";
import type { Console } from "../terminal/console.js";

export interface Prompt {
  /** The console as it is to be used meanwhile: what it prints appears above the line. */
  readonly console: Console;
  close(): void;
}

export interface PromptListener {
  onLine(line: string): void;
  /** Ctrl-D, or the end of the input. */
  onEnd(): void;
  onInterrupt(): void;
}

export function openPrompt(console: Console, listener: PromptListener): Prompt {
  const { stdout } = process;
  const readline = createInterface({ input: console.input, output: stdout, prompt: "> ", historySize: 1000 });
  readline.on("line", (line) => {
    // What was typed stands there already, and is shown again as a message with its time.
    stdout.write("\x1b[A\r\x1b[K");
    if (line !== "") listener.onLine(line);
    readline.prompt();
  });
  readline.on("close", () => listener.onEnd());
  readline.on("SIGINT", () => listener.onInterrupt());
  readline.prompt();
  const above = (write: () => void): void => printAbove(readline, write);
  return {
    console: {
      ...console,
      width: console.width,
      print: (line) => above(() => stdout.write(`${line}\n`)),
      say: (line) => above(() => stdout.write(`${line}\n`)),
    },
    close: () => {
      readline.removeAllListeners("close");
      readline.close();
      stdout.write("\r\x1b[K");
    },
  };
}

/** Takes the line away, writes, and puts it back with the cursor where it was. */
function printAbove(readline: Interface, write: () => void): void {
  process.stdout.write("\r\x1b[J");
  write();
  readline.prompt(true);
}
