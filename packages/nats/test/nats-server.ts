// Starts servers of NATS on free ports of the loopback interface, each with JetStream in its own folder.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type ConnectionOptions, type NatsConnection } from "@nats-io/transport-node";
import { freePort, pauseProcess } from "holdfast-testkit";

// Debian's packages install servers where PATH may not look.
process.env["PATH"] = `${process.env["PATH"] ?? ""}:/usr/sbin`;

/** Why tests cannot run here; false if they can. */
export const missing: string | false =
  spawnSync("nats-server", ["--version"]).status === 0 ? false : "nats-server is not installed";

export interface ServerOptions {
  /** Whether JetStream is enabled. @default true */
  readonly hasJetStream?: boolean;
  /** Further arguments. */
  readonly args?: readonly string[];
}

export class NatsServer {
  readonly port: number;
  readonly folder: string;
  readonly #options: ServerOptions;
  #process: ChildProcess | null = null;

  private constructor(port: number, options: ServerOptions) {
    this.port = port;
    this.#options = options;
    this.folder = mkdtempSync(join(tmpdir(), "holdfast-nats-"));
  }

  static async start(options: ServerOptions = {}): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), options);
    await server.start();
    return server;
  }

  /** Starts it again on the same port, with what it has on its disk. */
  async start(): Promise<void> {
    const { hasJetStream = true, args = [] } = this.#options;
    const child = spawn(
      "nats-server",
      [
        ...["--addr", "127.0.0.1", "--port", String(this.port)],
        ...(hasJetStream ? ["--jetstream", "--store_dir", this.folder] : []),
        ...args,
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    this.#process = child;
    let log = "";
    // The pipe stays open: the server ends if it cannot write its log.
    const ready = new Promise<void>((resolve) => {
      child.stderr.on("data", (chunk: Buffer) => {
        log += chunk.toString();
        if (log.includes("Server is ready")) resolve();
      });
    });
    await Promise.race([ready, once(child, "exit")]);
    if (child.exitCode !== null) throw new Error(`nats-server ended with ${child.exitCode}: ${log}`);
  }

  /** Removes what it has on its disk. */
  erase(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  async stop(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }

  /** Stops its process until `resume()`. */
  async pause(): Promise<void> {
    if (this.#process?.pid !== undefined) await pauseProcess(this.#process.pid);
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  /** The connection of an application. */
  connect(options: ConnectionOptions = {}): Promise<NatsConnection> {
    return openConnection(this.port, options);
  }

  async close(): Promise<void> {
    await this.stop();
    this.erase();
  }
}

export function openConnection(port: number, options: ConnectionOptions = {}): Promise<NatsConnection> {
  return connect({
    servers: `127.0.0.1:${port}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
    reconnectJitter: 50,
    ...options,
  });
}
