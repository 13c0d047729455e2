// A peer in Python: a process of its own, which connects or listens, and reports what it sees.

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { eventually, withTimeout } from "holdfast-testkit";
import { python } from "./python.js";

/** Which end of the connection Python is. */
export type PeerRole = "server" | "client";

/** What a peer does before it echoes; the path of the URL carries it (see python/harness.py). */
export type Script =
  | { readonly do: "echo" }
  | { readonly do: "fragments" }
  | { readonly do: "ping" }
  | { readonly do: "close"; readonly code: number; readonly reason: string }
  /** Seconds. Only trio-websocket: websockets has it among its settings. */
  | { readonly do: "heartbeat"; readonly timeout: number; readonly interval: number };

interface Close {
  readonly code: number;
  readonly reason: string;
}

/** A line of what a peer reports. */
export type Report =
  | { readonly event: "ready" }
  | { readonly event: "listening"; readonly port: number }
  | { readonly event: "failed"; readonly id: string; readonly says: string }
  | { readonly event: "pong"; readonly id: string; readonly latency: number }
  | { readonly event: "too slow"; readonly id: string }
  | {
      readonly event: "closed";
      readonly id: string;
      /** In the words of the library. */
      readonly says: string;
      readonly received: Close | null;
      /** Only from websockets. */
      readonly sent?: Close | null;
    };

/** Python takes its time to start where two processors are busy. */
const PATIENCE = 5_000;

export class PythonPeer implements AsyncDisposable {
  readonly role: PeerRole;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #reports: Report[] = [];
  #port = 0;
  #errors = "";
  #isStopped = false;

  /** Starts `python/<program>.py` and waits until it can be connected to, or told where to connect. */
  static async start(program: string, role: PeerRole, settings: object = {}): Promise<PythonPeer> {
    const path = fileURLToPath(new URL(`../src/python/${program}.py`, import.meta.url));
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1", PYTHONIOENCODING: "utf-8" };
    const peer = new PythonPeer(role, spawn(python, [path, role, JSON.stringify(settings)], { env }));
    if (role === "client") await peer.report("ready");
    else peer.#port = (await peer.report("listening")).port;
    return peer;
  }

  /** Use `start`, which waits until it is ready. */
  constructor(role: PeerRole, child: ChildProcessWithoutNullStreams) {
    this.role = role;
    this.#child = child;
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#errors += text));
    child.on("error", (error) => (this.#errors += error.message));
    createInterface(child.stdout).on("line", (line) => this.#reports.push(JSON.parse(line) as Report));
  }

  /** Where a server listens. */
  get url(): string {
    return `ws://127.0.0.1:${this.#port}`;
  }

  /** Makes a client connect. */
  connect(url: string): void {
    this.#child.stdin.write(`${url}\n`);
  }

  /** Waits for what the peer reports of the connection `id`, or of itself. */
  async report<Event extends Report["event"]>(
    event: Event,
    id: string | null = null,
  ): Promise<Extract<Report, { event: Event }>> {
    const own = (): readonly Report[] =>
      this.#reports.filter((report) => ("id" in report ? report.id : null) === id);
    const find = (): Report | undefined => own().find((report) => report.event === event);
    try {
      await eventually(() => find() !== undefined, `Python to report "${event}"`, PATIENCE);
    } catch (error) {
      const seen = own()
        .map((report) => JSON.stringify(report))
        .join("\n");
      throw new Error(`${String(error)}; it reported:\n${seen}\nand said:\n${this.#errors}`, {
        cause: error,
      });
    }
    return find() as Extract<Report, { event: Event }>; // That is what was looked for.
  }

  /** Stops the process as a hanging host does: its kernel goes on, the program does not. */
  stop(): void {
    this.#isStopped = this.#child.kill("SIGSTOP");
  }

  resume(): void {
    if (this.#isStopped) this.#child.kill("SIGCONT");
    this.#isStopped = false;
  }

  /** Ends the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL"); // Works on a stopped process, too.
    await withTimeout(exited, PATIENCE, "Python to end");
  }
}
