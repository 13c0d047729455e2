// A proxy in front of a server, started by the test with its own process, folder and ports.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "holdfast-testkit";
import { Program, startListening } from "../peers/program.js";

export interface ProxyOptions {
  /** The port of the server behind the proxy, which may not be listening. */
  readonly backendPort: number;
  /** Milliseconds without traffic after which it cuts a connection. @default 60_000 */
  readonly idleTimeout?: number;
  /** Milliseconds that connections may continue after a reload. @default 60_000 */
  readonly shutdownTimeout?: number;
}

/** The differences between proxies. */
export interface ProxyKind {
  readonly path: string;
  /** Returns the configuration file. The proxy may write into the folder. */
  configure(options: Required<ProxyOptions> & { readonly port: number; readonly folder: string }): string;
  /** The arguments to start it in the foreground. */
  args(configuration: string): readonly string[];
  readonly reloadSignal: NodeJS.Signals;
  /** The line that it prints each time it has started its processes. */
  readonly announcement: RegExp;
  /** The status of its answer if nothing listens behind it. */
  readonly statusWithoutBackend: number;
}

export class Proxy implements AsyncDisposable {
  readonly url: string;
  readonly #kind: ProxyKind;
  readonly #program: Program;
  readonly #folder: string;

  static async start(kind: ProxyKind, options: ProxyOptions): Promise<Proxy> {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-proxy-"));
    const configuration = join(folder, "configuration");
    const complete = { idleTimeout: 60_000, shutdownTimeout: 60_000, ...options, folder };
    try {
      const { program, port } = await startListening(async (freePort) => {
        await writeFile(configuration, kind.configure({ ...complete, port: freePort }));
        return new Program(kind.path, kind.args(configuration));
      });
      const proxy = new Proxy(kind, program, folder, port);
      await eventually(() => proxy.#announcements > 0, `${kind.path} to start`, 30_000);
      return proxy;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  private constructor(kind: ProxyKind, program: Program, folder: string, port: number) {
    this.#kind = kind;
    this.#program = program;
    this.#folder = folder;
    this.url = `ws://127.0.0.1:${port}/`;
  }

  /** Reloads the configuration: new processes take over, and the old ones end when their time is up. */
  async reload(): Promise<void> {
    const before = this.#announcements;
    // HAProxy's master restarts itself after it has forked its worker, and loses signals at that moment.
    for (let attempt = 1; this.#announcements === before; attempt++) {
      if (attempt === 10) throw new Error(`Expected a reload, got:\n${this.#program.output}`);
      this.#program.signal(this.#kind.reloadSignal);
      await eventually(() => this.#announcements > before, "the reload", 1_000).catch(() => undefined);
    }
  }

  /** Stops it as an operator does. */
  async stop(): Promise<void> {
    await this.#program.terminate();
  }

  get #announcements(): number {
    return this.#program.output.split(this.#kind.announcement).length - 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Not SIGKILL first: it would leave the workers behind.
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
