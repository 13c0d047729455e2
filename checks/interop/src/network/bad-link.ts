// Two hosts, as network namespaces of this machine (Linux), and a link between them that delays and loses packets
// (python/bad_link.py).

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { findExecutable } from "../peers/executables.js";
import { namespacesMissing } from "./namespaces.js";

const python = findExecutable(["python3"], {
  variable: "PYTHON",
  installedBy: "the system's package manager",
});

/** The reason to skip tests that need such a link; false if there can be one. */
export function badLinkMissing(): string | false {
  if (process.getuid?.() !== 0) return "only root may create TUN devices";
  if (python.skip !== false) return python.skip;
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK);
  } catch {
    return "there is no /dev/net/tun";
  }
  return namespacesMissing();
}

/** Durations are milliseconds, and shares are from 0 to 1. */
export interface LinkWeather {
  /** In each direction. */
  readonly delay: number;
  readonly loss?: number;
  readonly jitter?: number;
  /** The share of the time in which all packets are lost, for 50 to 500 ms at a time. */
  readonly bursts?: number;
  /** The delay of a queue that fills about every 15 s, towards the near host. */
  readonly queue?: number;
}

let links = 0;

export class BadLink implements AsyncDisposable {
  /** The address of the far host. */
  readonly farAddress = "10.78.0.2";
  readonly #near: string;
  readonly #far: string;
  readonly #program: ChildProcess;
  readonly #changes: (() => void)[] = [];

  static async open(weather: LinkWeather): Promise<BadLink> {
    const link = new BadLink();
    await link.#changed();
    await link.set(weather);
    return link;
  }

  private constructor() {
    const own = `holdfast-${process.pid}-link${++links}`;
    [this.#near, this.#far] = [`${own}-near`, `${own}-far`];
    for (const name of [this.#near, this.#far]) ip("netns", "add", name);
    const script = fileURLToPath(new URL("../../src/python/bad_link.py", import.meta.url));
    this.#program = spawn(python.path, [script, this.#near, this.#far], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    if (this.#program.stdout === null) throw new Error("Expected a pipe");
    createInterface(this.#program.stdout).on("line", () => this.#changes.shift()?.());
  }

  /** The command prefix that runs a program on a host. */
  prefix(host: "far" | "near"): readonly string[] {
    return ["ip", "netns", "exec", host === "near" ? this.#near : this.#far];
  }

  set(weather: LinkWeather): Promise<void> {
    return this.#command({ loss: 0, jitter: 0, bursts: 0, queue: 0, ...weather });
  }

  /** Drops the packets of all TCP connections so far. Later connections work. */
  dropConnections(): Promise<void> {
    return this.#command({ drop: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#program.stdin?.end();
    if (this.#program.exitCode === null) await new Promise((resolve) => this.#program.once("exit", resolve));
    for (const name of [this.#near, this.#far]) ip("netns", "delete", name);
  }

  #command(change: object): Promise<void> {
    const changed = this.#changed();
    this.#program.stdin?.write(`${JSON.stringify(change)}\n`);
    return changed;
  }

  #changed(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#changes.push(resolve);
      this.#program.once("exit", () => reject(new Error("The link has ended")));
    });
  }
}

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync("ip", args, { encoding: "utf8", timeout: 60_000 });
  if (status !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr.trim()}`);
}
