// The output of the demo: lines, and on a terminal one live line below them, which is redrawn.

import { setTimeout as sleep } from "node:timers/promises";
import type { WriteStream } from "node:tty";
import { type Style, styleFor } from "./style.js";
import { wrap } from "./text.js";

/** `process.stdout`, which may be a terminal, a pipe or a file. */
export type Output = NodeJS.WritableStream & Partial<Pick<WriteStream, "isTTY" | "columns" | "hasColors">>;

/** Milliseconds between two redraws of the live line. */
const REDRAW = 100;

const MAX_WIDTH = 80;
const MIN_WIDTH = 40;

export class Terminal {
  readonly style: Style;
  readonly #output: Output;
  readonly #isLive: boolean;
  #render: (() => string) | null = null;

  constructor(output: Output, env: Readonly<Record<string, string | undefined>>) {
    this.#output = output;
    this.#isLive = output.isTTY === true && env["TERM"] !== "dumb";
    this.style = styleFor(output, env);
  }

  /** The usable columns: 80, or fewer on a narrower terminal. */
  get width(): number {
    return Math.max(MIN_WIDTH, Math.min(MAX_WIDTH, this.#output.columns ?? MAX_WIDTH));
  }

  line(text = ""): void {
    this.#erase();
    this.#output.write(`${text}\n`);
    this.#draw();
  }

  /** Wraps; the first line begins with `first`, the others with `rest`. */
  paragraph(text: string, first = "", rest = first, paint = (line: string): string => line): void {
    const lines = wrap(text, this.width - Math.max(first.length, rest.length));
    for (const [index, line] of lines.entries()) this.line((index === 0 ? first : rest) + paint(line));
  }

  /** Gives the reader time. Without a terminal there is no reader, and no pause. */
  async pause(milliseconds: number): Promise<void> {
    if (this.#isLive) await sleep(milliseconds);
  }

  /**
   * Keeps a live line below the others up to date while `work` runs. Without a terminal there is no such
   * line.
   */
  async during<Result>(render: () => string, work: () => Promise<Result>): Promise<Result> {
    if (!this.#isLive) return work();
    this.#render = render;
    this.#draw();
    const timer = setInterval(() => {
      this.#erase();
      this.#draw();
    }, REDRAW);
    try {
      return await work();
    } finally {
      clearInterval(timer);
      this.#erase();
      this.#render = null;
    }
  }

  #draw(): void {
    if (this.#render === null) return;
    // A line that wraps could not be erased. The text contains no escape sequences, so its length is its
    // width.
    this.#output.write(this.style.quiet(this.#render().slice(0, this.width - 1)));
  }

  #erase(): void {
    if (this.#render !== null) this.#output.write("\r\x1b[K");
  }
}
