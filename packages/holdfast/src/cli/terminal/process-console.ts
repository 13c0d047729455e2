// The console of this process: its streams and its signals.

import { setMaxListeners } from "node:events";
import { EXIT } from "../exit-codes.js";
import type { Console } from "./console.js";
import { allowsColor, makeStyle } from "./style.js";

export interface ProcessConsole {
  readonly console: Console;
  /** The exit code to end with: a reader that left, as `head` does, is no failure. */
  readonly exitCodeOf: (code: number) => number;
}

/** What still runs so long after the first Ctrl-C, such as a closing handshake that nobody answers, is cut. */
const SHUTDOWN_TIMEOUT = 2000;

export function processConsole(): ProcessConsole {
  const { stdin, stdout, stderr } = process;
  const interruption = new AbortController();
  // Every connection of a verb listens, and `bench` has thousands: that is no leak.
  setMaxListeners(0, interruption.signal);
  let hasReaderLeft = false;
  let status: string | null = null;

  const interrupt = (): void => {
    if (interruption.signal.aborted) process.exit(EXIT.interrupted);
    interruption.abort(new Error("interrupted"));
    setTimeout(() => process.exit(hasReaderLeft ? EXIT.ok : EXIT.interrupted), SHUTDOWN_TIMEOUT).unref();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    if (hasReaderLeft) return;
    hasReaderLeft = true;
    interrupt();
  });
  // Nobody is left to be told.
  stderr.on("error", () => undefined);

  const clear = (): void => {
    if (status !== null) stderr.write("\r\x1b[K");
  };
  const draw = (): void => {
    if (status !== null) stderr.write(status);
  };
  const between = (write: () => void): void => {
    clear();
    write();
    draw();
  };

  const console: Console = {
    input: stdin,
    isInputTerminal: stdin.isTTY,
    isOutputTerminal: stdout.isTTY,
    get width() {
      return stdout.isTTY ? stdout.columns : 80;
    },
    style: makeStyle(allowsColor(stdout.isTTY, process.env)),
    interrupted: interruption.signal,
    print: (line) => {
      if (!hasReaderLeft) between(() => stdout.write(`${line}\n`));
    },
    printRaw: (data) => {
      if (!hasReaderLeft) stdout.write(data);
    },
    say: (line) => between(() => stderr.write(`${line}\n`)),
    showStatus: (line) => {
      if (!stderr.isTTY) return;
      clear();
      status = line;
      draw();
    },
  };
  return { console, exitCodeOf: (code) => (hasReaderLeft ? EXIT.ok : code) };
}
