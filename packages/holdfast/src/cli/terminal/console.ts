// The command's input and output. Payload goes to stdout, everything else to stderr.

import type { Readable } from "node:stream";
import type { Style } from "./style.js";

export interface Console {
  readonly input: Readable;
  /** stdin is a terminal. */
  readonly isInputTerminal: boolean;
  /** stdout is a terminal. */
  readonly isOutputTerminal: boolean;
  /** The terminal understands no escape sequences: TERM=dumb. */
  readonly isDumb: boolean;
  /** Columns of the terminal. */
  readonly width: number;
  /** Colours for stdout. */
  readonly style: Style;
  /** Aborts on Ctrl-C, on SIGTERM, and when the reader of stdout has exited. A second Ctrl-C ends the process. */
  readonly interrupted: AbortSignal;
  /** The reader of stdout has exited, as `head` does: no failure, unless the verb leaves work undone. */
  readonly hasReaderExited: boolean;
  /** Writes a line to stdout. */
  print(line: string): void;
  /** Writes to stdout without a line feed. */
  printRaw(data: string | Uint8Array): void;
  /** Writes a line to stderr. */
  say(line: string): void;
  /** Sets a status line below everything else, rewritten in place; null removes it. No effect unless stderr is a terminal. */
  showStatus(line: string | null): void;
}
