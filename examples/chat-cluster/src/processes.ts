// Starts the chat servers as processes of this machine, and each one again after its end.

import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Address, Backend, Backends } from "./backends.js";
import { freePort } from "./free-port.js";
import type { ServerStatus } from "./protocol.js";

const PROGRAM = fileURLToPath(new URL("./chat-server.js", import.meta.url));

/** Milliseconds until a process that has ended is started again: long enough to be seen. */
const RESTART_DELAY = 2_000;

export interface ProcessOptions {
  readonly count: number;
  readonly redisUrl: string;
  readonly onChange: () => void;
}

/** Resolves once all of them listen. */
export async function startProcesses({ count, redisUrl, onChange }: ProcessOptions): Promise<Backends> {
  const ports = await Promise.all(Array.from({ length: count }, freePort));
  const all = ports.map((port, index) => new ChatProcess(`server ${index + 1}`, port, redisUrl, onChange));
  const close = async (): Promise<void> => {
    await Promise.all(all.map((process) => process.close()));
  };
  try {
    await Promise.all(all.map((process) => process.start()));
  } catch (error) {
    await close();
    throw error;
  }
  return { all, kill: (name) => all.find(({ status }) => status.name === name)?.kill() ?? false, close };
}

class ChatProcess implements Backend {
  readonly address: Address;
  readonly #name: string;
  readonly #redisUrl: string;
  readonly #onChange: () => void;
  #child: ChildProcess | null = null;
  #isUp = false;
  #kills = 0;
  readonly #closing = new AbortController();

  constructor(name: string, port: number, redisUrl: string, onChange: () => void) {
    this.#name = name;
    this.address = { host: "127.0.0.1", port };
    this.#redisUrl = redisUrl;
    this.#onChange = onChange;
  }

  get status(): ServerStatus {
    const pid = this.#isUp ? (this.#child?.pid ?? null) : null;
    return { name: this.#name, state: this.#isUp ? "up" : "down", pid, kills: this.#kills };
  }

  /** Resolves once it listens. @throws Error if it ends instead */
  async start(): Promise<void> {
    const { host, port } = this.address;
    const env = { HOST: host, PORT: String(port), NAME: this.#name, REDIS_URL: this.#redisUrl };
    const child = fork(PROGRAM, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#child = child;
    const ended = once(child, "exit").then(() => {
      throw new Error(`${this.#name} ended before it listened.`);
    });
    await Promise.race([once(child, "message"), ended]);
    ended.catch(() => void this.#onEnd());
    this.#setUp(true);
  }

  kill(): boolean {
    if (!this.#isUp || this.#child === null) return false;
    this.#kills++;
    this.#setUp(false);
    return this.#child.kill("SIGKILL");
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const child = this.#child;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await Promise.race([ended, sleep(3_000, undefined, { ref: false })]);
    child.kill("SIGKILL");
    await ended;
  }

  async #onEnd(): Promise<void> {
    this.#setUp(false);
    const { signal } = this.#closing;
    try {
      await sleep(RESTART_DELAY, undefined, { signal });
      await this.start();
    } catch (error) {
      if (signal.aborted) return;
      console.error(error);
      void this.#onEnd(); // Tries again.
    }
  }

  #setUp(isUp: boolean): void {
    if (this.#isUp === isUp) return;
    this.#isUp = isUp;
    this.#onChange();
  }
}
