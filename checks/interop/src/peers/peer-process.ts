// A peer in its own process. It takes commands from its arguments and standard input, and reports lines of
// JSON on its standard output (python/harness.py and programs/harness.ts).

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { withTimeout } from "holdfast-testkit";
import type { Peer, PeerRole, PeerSettings, Report } from "./peer.js";
import { PATIENCE, Reports } from "./reports.js";

export interface PeerProcessOptions {
  /** Program and arguments; the role and the settings are appended. */
  readonly command: readonly string[];
  /** The host at which a client reaches the server. @default "127.0.0.1" */
  readonly host?: string;
}

export class PeerProcess implements Peer {
  readonly role: PeerRole;
  readonly #host: string;
  readonly #scheme: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #reports: Reports;
  #port = 0;
  #isStopped = false;

  /** Starts the program and waits until it accepts connections or commands. */
  static async start(
    options: PeerProcessOptions,
    role: PeerRole,
    settings: PeerSettings = {},
  ): Promise<PeerProcess> {
    const peer = new PeerProcess(options, role, settings);
    try {
      if (role === "client") await peer.report("ready");
      else peer.#port = (await peer.report("listening")).port;
      return peer;
    } catch (error) {
      await peer[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(
    { command, host = "127.0.0.1" }: PeerProcessOptions,
    role: PeerRole,
    settings: PeerSettings,
  ) {
    this.role = role;
    this.#host = host;
    this.#scheme = settings.tls === undefined ? "ws" : "wss";
    const [program = "", ...args] = command;
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1", PYTHONIOENCODING: "utf-8" };
    const child = spawn(program, [...args, role, JSON.stringify(settings)], { env });
    const reports = new Reports(command.join(" "));
    child.stderr.setEncoding("utf8").on("data", (text: string) => reports.addChatter(text));
    child.on("error", (error) => reports.addChatter(error.message));
    // A program that has ended receives no commands; its output says why it ended.
    child.stdin.on("error", (error) => reports.addChatter(error.message));
    createInterface(child.stdout).on("line", (line) => reports.add(JSON.parse(line) as Report));
    this.#child = child;
    this.#reports = reports;
  }

  get url(): string {
    return `${this.#scheme}://${this.#host}:${this.#port}`;
  }

  connect(url: string): void {
    this.#child.stdin.write(`${url}\n`);
  }

  report<Event extends Report["event"]>(
    event: Event,
    id: string | null = null,
  ): Promise<Extract<Report, { event: Event }>> {
    return this.#reports.next(event, id);
  }

  /** Stops the process, like a host that hangs: the kernel continues, the program does not. */
  stop(): void {
    this.#isStopped = this.#child.kill("SIGSTOP");
  }

  resume(): void {
    if (this.#isStopped) this.#child.kill("SIGCONT");
    this.#isStopped = false;
  }

  /** Ends the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.pid === undefined) return; // It never started.
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    // The program's own children end with its standard input.
    this.#child.stdin.destroy();
    this.#child.kill("SIGKILL"); // This also works on a stopped process.
    await withTimeout(exited, PATIENCE, "the peer to end");
  }
}
