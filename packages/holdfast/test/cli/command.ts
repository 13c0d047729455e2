// Runs the command as users do: as a separate process, with pipes.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually, slowness, withTimeout } from "holdfast-testkit";

/** The file that `bin` names. */
export const MAIN = join(dirname(fileURLToPath(import.meta.resolve("holdfast"))), "cli/main.js");

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The outcome with stdout as bytes, for binary output. */
export type BinaryOutcome = Omit<Outcome, "stdout"> & { readonly stdout: Buffer };

/** A busy machine starts processes slowly. */
const PATIENCE = 60_000;

/** For `--wait`: milliseconds within which the answers of a server in another process come. */
export const ANSWERS = String(500 * slowness());

export class Command {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #chunks: Buffer[] = [];
  #stdout = "";
  #stderr = "";

  constructor(words: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    this.#process = spawn(process.execPath, [MAIN, ...words], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], NO_PROXY: "*", ...environment },
    });
    const decoder = new TextDecoder();
    this.#process.stdout?.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#stdout += decoder.decode(chunk, { stream: true });
    });
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    this.#process.stdin?.on("error", () => undefined); // It may have ended.
    this.#ended = once(this.#process, "close");
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get stdoutBytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  type(text: string | Uint8Array): void {
    this.#process.stdin?.write(text);
  }

  endInput(): void {
    this.#process.stdin?.end();
  }

  /** As `head` does after the last line that it wants. */
  closeOutput(): void {
    this.#process.stdout?.destroy();
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Resolves with the match of the pattern on stdout. */
  async printed(pattern: RegExp): Promise<string> {
    await eventually(() => pattern.test(this.#stdout), `${String(pattern)} on stdout`, PATIENCE);
    return pattern.exec(this.#stdout)?.[0] ?? "";
  }

  async ended(): Promise<Outcome> {
    try {
      await withTimeout(this.#ended, PATIENCE, "the end of the command");
    } finally {
      this.#process.kill("SIGKILL");
    }
    return { code: this.#process.exitCode, stdout: this.#stdout, stderr: this.#stderr };
  }
}

/** Runs the command to its end, with `input` on stdin. */
export function runCommand(
  words: readonly string[],
  input = "",
  environment: NodeJS.ProcessEnv = {},
): Promise<Outcome> {
  const command = new Command(words, environment);
  command.type(input);
  command.endInput();
  return command.ended();
}

/** As `runCommand()`, for binary input and output. */
export async function runBinary(words: readonly string[], input: Uint8Array): Promise<BinaryOutcome> {
  const command = new Command(words);
  command.type(input);
  command.endInput();
  const outcome = await command.ended();
  return { ...outcome, stdout: command.stdoutBytes };
}

/** Replaces durations, ports and ids, which differ in each run. */
export function normalised(text: string): string {
  return text
    .replaceAll(/\d+(?:\.\d+)?(?=(?:\/[\d.]+)* ms)|(?<=\/)\d+(?:\.\d+)?(?=(?:\/[\d.]+)* ms)/g, "T")
    .replaceAll(/:\d{4,5}\//g, ":PORT/")
    .replaceAll(/port \d+/g, "port N")
    .replaceAll(/\b[0-9a-f]{10}-\d+\b/g, "ID");
}
