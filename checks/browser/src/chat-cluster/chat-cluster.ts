// The program of `npm run example -- chat-cluster`, as users start it, and its page.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { withTimeout } from "holdfast-testkit";
import { Browser, skip as noBrowser } from "../browser/chromium.js";

const PROGRAM = fileURLToPath(new URL("../../../../examples/chat-cluster/dist/main.js", import.meta.url));

/** For `test(title, { skip })`. */
export const skip: string | false =
  spawnSync("redis-server", ["--version"]).status === 0
    ? noBrowser
    : "redis-server is not installed: scripts/install-peers.sh redis installs it";

/** A busy machine starts five processes slowly. */
const PATIENCE = 40_000;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class ChatProgram {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  #stdout = "";
  #stderr = "";

  constructor(...args: readonly string[]) {
    this.#process = spawn(process.execPath, [PROGRAM, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    this.#process.stdout?.setEncoding("utf8").on("data", (text: string) => (this.#stdout += text));
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    this.#ended = once(this.#process, "close");
  }

  /** Resolves with the address of the page. */
  async url(): Promise<string> {
    const found = (async () => {
      for (;;) {
        const [address] = /http:\S+/.exec(this.#stdout) ?? [];
        if (address !== undefined) return address;
        if (this.#process.exitCode !== null) throw new Error(`It ended: ${this.#stderr}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    return withTimeout(found, PATIENCE, "the address of the page");
  }

  /** All that it has printed there until now. */
  get stderr(): string {
    return this.#stderr;
  }

  end(signal: NodeJS.Signals = "SIGTERM"): void {
    this.#process.kill(signal);
  }

  async ended(): Promise<Outcome> {
    try {
      await withTimeout(this.#ended, PATIENCE, "the end of the program");
    } finally {
      this.#process.kill("SIGKILL");
    }
    return { code: this.#process.exitCode, stdout: this.#stdout, stderr: this.#stderr };
  }
}

/** The numbers at the top of the page. */
export interface Score {
  readonly received: number;
  readonly missing: number;
  readonly repeated: number;
  readonly gaps: number;
  readonly reconnects: number;
}

export class ChatPage implements AsyncDisposable {
  readonly page: Page;
  /** Uncaught errors of the page. */
  readonly errors: readonly string[];
  readonly #browser: Browser;

  static async open(url: string): Promise<ChatPage> {
    const browser = await Browser.start();
    const page = await browser.context.newPage();
    const errors: string[] = [];
    page.on("pageerror", ({ message }) => errors.push(message));
    await page.goto(url);
    return new ChatPage(page, errors, browser);
  }

  private constructor(page: Page, errors: readonly string[], browser: Browser) {
    this.page = page;
    this.errors = errors;
    this.#browser = browser;
  }

  async score(): Promise<Score> {
    const numberOf = async (id: string): Promise<number> =>
      Number((await this.page.locator(`#${id}`).textContent())?.replaceAll(",", ""));
    const [received, missing, repeated, gaps, reconnects] = [
      await numberOf("received"),
      await numberOf("missing"),
      await numberOf("repeated"),
      await numberOf("gaps"),
      await numberOf("reconnects"),
    ];
    return { received, missing, repeated, gaps, reconnects };
  }

  /** Waits until the page has received this many messages. */
  async hasReceived(count: number): Promise<void> {
    await this.page.waitForFunction(
      (least) => Number(document.getElementById("received")?.textContent.replaceAll(",", "")) >= least,
      count,
      { timeout: PATIENCE },
    );
  }

  /** The name of the process that the page is connected to, once it is connected. */
  async ownServer(): Promise<string> {
    const title = this.page.locator(".server.own h3");
    await title.waitFor({ timeout: PATIENCE });
    return (await title.textContent()) ?? "";
  }

  async kill(server: string): Promise<void> {
    await this.page.getByRole("button", { name: `Kill ${server}`, exact: true }).click();
  }

  async say(text: string): Promise<void> {
    await this.page.getByLabel("Message", { exact: true }).fill(text);
    await this.page.getByRole("button", { name: "Send" }).click();
  }

  async look(theme: "dark" | "light", width: number): Promise<void> {
    await this.page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    await this.page.setViewportSize({ width, height: 900 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser[Symbol.asyncDispose]();
  }
}
