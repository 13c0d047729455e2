// An input line at the bottom of the terminal. Messages appear above it; a status row separates them from it.

import { createInterface, type Interface } from "node:readline";
import type { Console } from "../terminal/console.js";

export interface Prompt {
  /** Prints above the input line. Use it instead of the original console while the prompt is open. */
  readonly console: Console;
  /** Sets the text of the status row. */
  showStatus(text: string): void;
  close(): void;
}

export interface PromptHandler {
  onLine(line: string): void;
  /** Ctrl-D, or the end of the input. */
  onEnd(): void;
  onInterrupt(): void;
}

export function openPrompt(console: Console, handler: PromptHandler): Prompt {
  const { stdout } = process;
  const { input, isDumb } = console;
  const readline = createInterface({
    input,
    output: stdout,
    prompt: isDumb ? "" : "> ",
    terminal: !isDumb,
    historySize: 1000,
  });
  let status = "";
  let shown = "";
  let hasInput = true; // A closed readline throws.

  const clear = (rows: number): void => {
    if (isDumb) return;
    // A terminal that was made narrower wraps the status row.
    const up = rows + Math.ceil(shown.length / console.width);
    stdout.write(`${up === 0 ? "" : `\x1b[${up}A`}\r\x1b[J`);
  };
  const draw = (): void => {
    shown = isDumb ? "" : fitting(status, console.width);
    if (shown !== "") stdout.write(`${console.style.dim(shown)}\n`);
  };
  /** Removes the rows at the bottom, writes, and restores them and the cursor position. */
  const above = (write: () => void): void => {
    clear(readline.getCursorPos().rows);
    write();
    draw();
    // Readline would move up by the rows that it drew above the cursor, but they are gone.
    Object.assign(readline, { prevRows: 0 });
    if (hasInput) readline.prompt(true);
  };
  const redraw = (): void => above(() => undefined);

  readline.on("line", (line) => {
    // Removes the typed line: it is shown again as a message with its time.
    clear(rowsOf(readline, line));
    draw();
    readline.prompt();
    if (line !== "") handler.onLine(line);
  });
  readline.on("close", () => {
    hasInput = false;
    handler.onEnd();
  });
  readline.on("SIGINT", () => handler.onInterrupt());
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

/** The rows of a line on the screen. Readline knows the width of characters, but offers it only through the cursor. */
function rowsOf(readline: Interface, line: string): number {
  Object.assign(readline, { line, cursor: line.length });
  const { rows } = readline.getCursorPos();
  Object.assign(readline, { line: "", cursor: 0 });
  return rows + 1; // The cursor is on the row below.
}

/** Cuts the text to one row: a full row would move the cursor to the next. Assumes one column per character. */
function fitting(text: string, columns: number): string {
  return text.length < columns ? text : `${text.slice(0, Math.max(0, columns - 2))}…`;
}
