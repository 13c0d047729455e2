// A line that is edited at the bottom of the terminal: messages appear above it, and between them a row of status.

import { createInterface, type Interface } from "node:readline";
import type { Console } from "../terminal/console.js";

export interface Prompt {
  /** The console as it is to be used meanwhile: what it prints appears above the line. */
  readonly console: Console;
  /** What the row above the line says. */
  showStatus(text: string): void;
  close(): void;
}

export interface PromptHandler {
  onLine(line: string): void;
  /** Ctrl-D, or the end of the input. */
  onEnd(): void;
  onInterrupt(): void;
}

export function openPrompt(console: Console, listener: PromptHandler): Prompt {
  const { stdout } = process;
  const readline = createInterface({ input: console.input, output: stdout, prompt: "> ", historySize: 1000 });
  let status = "";
  let shown = "";
  let hasInput = true; // A readline that is closed must not be asked for anything.

  const clear = (rows: number): void => {
    // A terminal that got narrower has broken the row of status.
    const up = rows + Math.ceil(shown.length / stdout.columns);
    stdout.write(`${up === 0 ? "" : `\x1b[${up}A`}\r\x1b[J`);
  };
  const draw = (): void => {
    shown = fitting(status, stdout.columns);
    if (shown !== "") stdout.write(`${console.style.dim(shown)}\n`);
  };
  /** Takes the rows at the bottom away, writes, and puts them back with the cursor where it was. */
  const above = (write: () => void): void => {
    clear(readline.getCursorPos().rows);
    write();
    draw();
    // Readline would go up by the rows that it has drawn above the cursor; they are gone.
    Object.assign(readline, { prevRows: 0 });
    if (hasInput) readline.prompt(true);
  };
  const redraw = (): void => above(() => undefined);

  readline.on("line", (line) => {
    // What was typed stands there already, and is shown again as a message with its time.
    clear(rowsOf(readline, line));
    draw();
    readline.prompt();
    if (line !== "") listener.onLine(line);
  });
  readline.on("close", () => {
    hasInput = false;
    listener.onEnd();
  });
  readline.on("SIGINT", () => listener.onInterrupt());
  stdout.on("resize", redraw);
  readline.prompt();
  return {
    console: {
      ...console,
      get width() {
        return console.width;
      },
      print: (line) => above(() => stdout.write(`${line}\n`)),
      say: (line) => above(() => stdout.write(`${line}\n`)),
    },
    showStatus: (text) => {
      if (!hasInput || text === status) return;
      above(() => (status = text));
    },
    close: () => {
      hasInput = false;
      clear(readline.getCursorPos().rows);
      status = "";
      stdout.off("resize", redraw);
      readline.removeAllListeners("close");
      readline.close();
    },
  };
}

/** What a line took on the screen: readline knows the width of its characters, and keeps it to itself. */
function rowsOf(readline: Interface, line: string): number {
  Object.assign(readline, { line, cursor: line.length });
  const { rows } = readline.getCursorPos();
  Object.assign(readline, { line: "", cursor: 0 });
  return rows + 1; // The cursor is on the row below.
}

/** On one row: a row that is full would move the cursor to the next. Of one column for each character. */
function fitting(text: string, columns: number): string {
  return text.length < columns ? text : `${text.slice(0, Math.max(0, columns - 2))}…`;
}
