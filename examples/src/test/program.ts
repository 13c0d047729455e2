// Runs an example as a user would: types lines, and reads the output.

import { spawn, type ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

export interface Ending {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

export class Program implements AsyncDisposable {
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  #output = "";
  #errors = "";
  #onOutput: () => void = () => undefined;

  constructor(name: string, ...args: string[]) {
    const path = fileURLToPath(new URL(`../${name}.js`, import.meta.url));
    // A timeout of two minutes ends it, so that no test leaves a process behind.
    this.#child = spawn(process.execPath, [path, ...args], {
      stdio: ["pipe", "pipe", "pipe"],
      timeout: 120_000,
      killSignal: "SIGKILL",
    });
    this.#child.stdin.on("error", () => undefined); // It may have exited before the input arrives.
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => this.#note(text, ""));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => this.#note("", text));
    this.ended = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", (status) => {
        resolve({ status, output: this.#output, errors: this.#errors });
        this.#onOutput();
      });
    });
  }

  /** Resolves with the first match in its past or future output; rejects if it exits without one. */
  prints(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#finds(pattern, () => this.#output);
  }

  /** The same for its stderr. */
  complains(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#finds(pattern, () => this.#errors);
  }

  /** From now on, `prints()` ignores earlier output. */
  forgetOutput(): void {
    this.#output = "";
  }

  type(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Ctrl-D. */
  endInput(): void {
    this.#child.stdin.end();
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  async #finds(pattern: RegExp, text: () => string): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(text());
      if (match !== null) return match;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`It ended without printing ${pattern}:\n${this.#output}\n${this.#errors}`);
      }
      await new Promise<void>((resolve) => (this.#onOutput = resolve));
    }
  }

  #note(output: string, errors: string): void {
    this.#output += output;
    this.#errors += errors;
    this.#onOutput();
  }
}
