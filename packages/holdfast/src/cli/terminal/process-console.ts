// The console of this process, with its streams and signals.

import { setMaxListeners } from "node:events";
import { EXIT } from "../exit-codes.js";
import type { Console } from "./console.js";
import { allowsColor, makeStyle } from "./style.js";

export interface ProcessConsole {
  readonly console: Console;
  /** The exit code of the process. A reader that exits early, such as `head`, is not a failure as Ctrl-C is. */
  readonly exitCodeOf: (code: number) => number;
}

/** Milliseconds from the first Ctrl-C to a forced exit, for example if the peer does not answer the Close. */
const SHUTDOWN_TIMEOUT = 2000;

export function processConsole(): ProcessConsole {
  const { stdin, stdout, stderr } = process;
  const interruption = new AbortController();
  // Every connection adds a listener, and `bench` has thousands of them: that is not a leak.
  setMaxListeners(0, interruption.signal);
  let hasReaderExited = false;
  let hasOutputFailed = false;
  let status: string | null = null;

  const interrupt = (): void => {
    if (interruption.signal.aborted) process.exit(EXIT.interrupted);
    interruption.abort(new Error("The command was interrupted."));
    setTimeout(() => process.exit(exitCodeOf(EXIT.interrupted)), SHUTDOWN_TIMEOUT).unref();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (hasReaderExited || hasOutputFailed) return;
    if (error.code === "EPIPE") hasReaderExited = true;
    else {
      hasOutputFailed = true;
      console.say(`holdfast: The output could not be written: ${error.message}.`);
    }
    if (!interruption.signal.aborted) interrupt();
  });
  // There is no place left to report an error.
  stderr.on("error", () => undefined);

  const exitCodeOf = (code: number): number => {
    if (hasOutputFailed) return EXIT.failed;
    return hasReaderExited && code === EXIT.interrupted ? EXIT.ok : code;
  };

  const isDumb = process.env["TERM"] === "dumb";
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
    isDumb,
    get width() {
      return (stdout.isTTY && stdout.columns) || 80; // A new pseudo-terminal has no columns.
    },
    style: makeStyle(allowsColor(stdout.isTTY, process.env)),
    interrupted: interruption.signal,
    get hasReaderExited() {
      return hasReaderExited;
    },
    print: (line) => {
      if (!hasReaderExited && !hasOutputFailed) between(() => stdout.write(`${line}\n`));
    },
    printRaw: (data) => {
      if (!hasReaderExited && !hasOutputFailed) stdout.write(data);
    },
    say: (line) => between(() => stderr.write(`${line}\n`)),
    showStatus: (line) => {
      if (!stderr.isTTY || isDumb) return;
      clear();
      status = line;
      draw();
    },
  };
  return { console, exitCodeOf };
}
