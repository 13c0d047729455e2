// Where the command reads and writes. Payload goes to stdout, talk to stderr.

import type { Readable } from "node:stream";
import type { Style } from "./style.js";

export interface Console {
  readonly input: Readable;
  /** Somebody types. */
  readonly isInputTerminal: boolean;
  /** Somebody reads stdout as it comes. */
  readonly isOutputTerminal: boolean;
  /** Columns of the terminal. */
  readonly width: number;
  /** How stdout may be adorned. */
  readonly style: Style;
  /** Aborts on Ctrl-C, SIGTERM, and when nobody reads stdout any more. A second Ctrl-C ends the process. */
  readonly interrupted: AbortSignal;
  /** A line of payload. */
  print(line: string): void;
  /** Payload as it is. */
  printRaw(data: string | Uint8Array): void;
  /** A line of talk. */
  say(line: string): void;
  /** A line that is rewritten in place, below everything else; null takes it away. Nothing where stderr is no terminal. */
  showStatus(line: string | null): void;
}
