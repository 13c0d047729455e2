// Starts servers of Redis on free ports of the loopback interface, each in a folder of its own.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { allOrNone, freePort, pauseProcess } from "holdfast-testkit";
import { Redis } from "ioredis";

/** Why tests cannot run here; false if they can. */
export const missing: string | false =
  spawnSync("redis-server", ["--version"]).status === 0 ? false : "redis-server is not installed";

export class RedisServer {
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), "holdfast-redis-"));
  readonly #args: readonly string[];
  #process: ChildProcess | null = null;
  #admin: Redis | null = null;

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
  }

  static async start(...args: string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), args);
    try {
      await server.start();
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** A connection for the tests' own commands. */
  get admin(): Redis {
    this.#admin ??= quiet(new Redis(this.port, "127.0.0.1", { retryStrategy: () => 50 }));
    return this.#admin;
  }

  /** Starts it again on the same port: empty, unless the arguments say otherwise. */
  async start(): Promise<void> {
    const child = spawn(
      "redis-server",
      [
        ...["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.#folder, "--save", ""],
        ...["--appendonly", "no", "--repl-diskless-sync-delay", "0", ...this.#args],
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    this.#process = child;
    let log = "";
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      log += chunk.toString();
      if (log.includes("Ready to accept connections")) return;
    }
    throw new Error(`redis-server ended:\n${log}`);
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
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

  async close(): Promise<void> {
    this.#admin?.disconnect();
    await this.stop("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** In milliseconds. A busy machine stops a node for seconds; nothing here waits until the others declare it dead. */
export const NODE_TIMEOUT = 10_000;
/** The arguments of a node. */
export const CLUSTER = ["--cluster-enabled", "yes", "--cluster-node-timeout", String(NODE_TIMEOUT)];

/** Three masters. */
export async function startCluster(): Promise<readonly RedisServer[]> {
  const nodes = await allOrNone([1, 2, 3].map(() => RedisServer.start(...CLUSTER)));
  const first = nodes[0];
  for (const [index, { admin, port }] of nodes.entries()) {
    await admin.call(
      "CLUSTER",
      "ADDSLOTSRANGE",
      Math.ceil((index * 16384) / 3),
      Math.ceil(((index + 1) * 16384) / 3) - 1,
    );
    // Equal epochs would change by themselves at any moment of a test.
    await admin.call("CLUSTER", "SET-CONFIG-EPOCH", index + 1);
    if (port !== first.port) await admin.call("CLUSTER", "MEET", "127.0.0.1", first.port);
  }
  for (const { admin } of nodes) {
    for (;;) {
      const info = String(await admin.call("CLUSTER", "INFO"));
      if (info.includes("cluster_state:ok") && info.includes("cluster_known_nodes:3")) break;
      await sleep(20);
    }
  }
  return nodes;
}

/** Clients report an error for each attempt to connect. */
export function quiet<Client extends { on(event: "error", listener: () => void): unknown }>(
  client: Client,
): Client {
  client.on("error", () => {});
  return client;
}
