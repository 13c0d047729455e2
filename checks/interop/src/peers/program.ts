// A program of the system that runs in the foreground until the test ends it.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, freePort, withTimeout } from "holdfast-testkit";

const PATIENCE = 30_000;

export class Program implements AsyncDisposable {
  readonly #name: string;
  readonly #child: ChildProcess;
  #output = "";

  constructor(path: string, args: readonly string[]) {
    this.#name = path;
    this.#child = spawn(path, args, { stdio: ["ignore", "pipe", "pipe"] });
    const take = (text: string) => (this.#output += text);
    this.#child.stdout?.setEncoding("utf8").on("data", take);
    this.#child.stderr?.setEncoding("utf8").on("data", take);
    this.#child.on("error", (error) => take(error.message));
  }

  /** Its output so far, for error messages. */
  get output(): string {
    return this.#output;
  }

  /** Waits until something listens on the port. */
  async listensOn(port: number): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    while (!(await isOpen(port))) {
      if (this.#hasEnded || performance.now() > deadline) {
        throw new Error(`Expected ${this.#name} to listen on port ${port}, got:\n${this.#output}`);
      }
      await sleep(10);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to exit, repeatedly, because HAProxy sometimes loses signals; waits until it has exited. */
  async terminate(): Promise<void> {
    for (let attempt = 1; attempt <= 10 && !this.#hasEnded; attempt++) {
      this.#child.kill("SIGTERM");
      await eventually(() => this.#hasEnded, `${this.#name} to end`, 1_000).catch(() => undefined);
    }
    await this[Symbol.asyncDispose]();
  }

  /** Ends it at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await withTimeout(exited, PATIENCE, `${this.#name} to end`);
  }

  get #hasEnded(): boolean {
    // Without a process id it never started.
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}

/** Another process may take a free port before it is used; in that case, retries with another port. */
export async function startListening(
  start: (port: number) => Program | Promise<Program>,
): Promise<{ readonly program: Program; readonly port: number }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const program = await start(port);
    try {
      await program.listensOn(port);
      return { program, port };
    } catch (error) {
      await program[Symbol.asyncDispose]();
      if (attempt === 3) throw error;
    }
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
