// A server with an inspector, its crowd of clients, and the page in Chromium.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import {
  inspect,
  type InspectOptions,
  type Inspector,
  serve,
  type ServeOptions,
  type Server,
} from "holdfast";
import type { Page } from "playwright-core";
import { Browser } from "../browser/chromium.js";

export class Inspected implements AsyncDisposable {
  readonly server: Server;
  readonly inspector: Inspector;
  readonly browser: Browser;
  readonly page: Page;
  /** Uncaught errors of the page, and what its policy blocked. */
  readonly errors: string[] = [];
  #crowds: ChildProcess[] = [];

  static async open(
    inspectOptions: Partial<InspectOptions> = {},
    options: ServeOptions = {},
  ): Promise<Inspected> {
    const server = await serve((connection) => connection.discard(), {
      host: "127.0.0.1",
      logger: null,
      ...options,
    });
    const inspector = inspect(server, { authorize: () => ({ who: "ada" }), ...inspectOptions });
    const browser = await Browser.start();
    const page = await browser.context.newPage();
    return new Inspected(server, inspector, browser, page);
  }

  private constructor(server: Server, inspector: Inspector, browser: Browser, page: Page) {
    this.server = server;
    this.inspector = inspector;
    this.browser = browser;
    this.page = page;
    page.on("pageerror", ({ message }) => this.errors.push(message));
    page.on("console", (message) => {
      if (message.type() === "error") this.errors.push(message.text());
    });
  }

  async show(): Promise<void> {
    await this.page.goto(this.inspector.url);
    await this.page.getByText("Live", { exact: true }).waitFor();
  }

  /** Connects so many clients, which together send so many messages a second. */
  async crowd(count: number, rate: number): Promise<void> {
    const program = fileURLToPath(new URL("crowd.js", import.meta.url));
    const url = `ws://127.0.0.1:${this.server.port}`;
    const child = spawn(process.execPath, [program, url, String(count), String(rate)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#crowds.push(child);
    await once(child.stdout, "data");
  }

  async look(theme: "dark" | "light", width: number, height = 1000): Promise<void> {
    await this.page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    await this.page.setViewportSize({ width, height });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser[Symbol.asyncDispose]();
    for (const child of this.#crowds) child.stdin?.end();
    for (const connection of this.server.connections) connection.terminate();
    await this.server.close();
  }
}
