// Starts a sentinel of Redis, which promotes a replica after its master has failed.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, slowness } from "holdfast-testkit";
import type { RedisServer } from "./redis-server.js";

export const MASTER_NAME = "main";

export class Sentinel {
  readonly port: number;
  readonly #folder: string;
  readonly #process: ChildProcess;

  /** Resolves once it watches the master. */
  static async start(master: RedisServer): Promise<Sentinel> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), "holdfast-sentinel-"));
    const file = join(folder, "sentinel.conf"); // It rewrites its configuration.
    writeFileSync(
      file,
      [
        `port ${port}`,
        "bind 127.0.0.1",
        `dir ${folder}`,
        `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${master.port} 1`,
        `sentinel down-after-milliseconds ${MASTER_NAME} ${500 * slowness()}`, // It must not take a busy one for dead.
        `sentinel failover-timeout ${MASTER_NAME} 3000`,
        "",
      ].join("\n"),
    );
    const child = spawn("redis-server", [file, "--sentinel"], { stdio: ["ignore", "pipe", "inherit"] });
    let log = "";
    await new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (chunk: Buffer) => {
        log += chunk.toString();
        if (log.includes("+slave")) resolve();
      });
      child.once("exit", () => reject(new Error(`The sentinel ended: ${log}`)));
    });
    return new Sentinel(port, folder, child);
  }

  private constructor(port: number, folder: string, child: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#process = child;
  }

  async close(): Promise<void> {
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
