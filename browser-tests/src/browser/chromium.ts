// Chromium, headless, with an empty profile, on pages of this machine that import the library as it ships.

import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { type BrowserContext, chromium, type Page } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const executable =
  [
    process.env["HOLDFAST_CHROMIUM"],
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
  ].find((path) => path !== undefined && existsSync(path)) ?? null;

/** For `test(title, { skip })`. */
export const skip =
  executable === null ? "there is no Chromium: scripts/install-peers.sh browser installs it" : false;

export class Browser implements AsyncDisposable {
  readonly context: BrowserContext;
  /** Where the pages come from. */
  readonly origin: string;
  readonly #site: Server;
  readonly #profile: string;

  static async start(): Promise<Browser> {
    if (executable === null) throw new Error("Expected Chromium to be installed");
    const profile = await mkdtemp(join(tmpdir(), "holdfast-chromium-"));
    const site = createServer((request, response) => {
      fileOf(request.url ?? "/").then(
        ({ type, bytes }) => response.setHeader("Content-Type", type).end(bytes),
        () => response.writeHead(404).end(),
      );
    });
    site.listen(0, "127.0.0.1");
    await once(site, "listening");
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: executable,
      headless: true,
      args: FLAGS,
    });
    const { port } = site.address() as AddressInfo; // It listens on TCP.
    return new Browser(context, `http://127.0.0.1:${port}`, site, profile);
  }

  private constructor(context: BrowserContext, origin: string, site: Server, profile: string) {
    this.context = context;
    this.origin = origin;
    this.#site = site;
    this.#profile = profile;
  }

  /** A page on which `holdfast` is the library, loaded as modules without a bundler. */
  async openPage(): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(`${this.origin}/`);
    await page.waitForFunction("globalThis.holdfast !== undefined");
    return page;
  }

  /**
   * Stops the processes of all pages, as a machine that goes to sleep does. Headless, Chromium hides no page, and so
   * freezes none by itself.
   */
  async stopPages(): Promise<{ resume(): void }> {
    const session = await this.context.browser()?.newBrowserCDPSession();
    if (session === undefined) throw new Error("Expected a browser behind the context");
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    const pages = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
    for (const pid of pages) process.kill(pid, "SIGSTOP");
    return {
      resume() {
        for (const pid of pages) process.kill(pid, "SIGCONT");
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
    this.#site.close();
    this.#site.closeAllConnections();
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 3 });
  }
}

const PAGE = `<!doctype html><meta charset="utf-8"><title>Holdfast</title>
<script type="module">globalThis.holdfast = await import("/holdfast/browser.js");</script>`;

const DIST = fileURLToPath(new URL(".", import.meta.resolve("holdfast")));

async function fileOf(path: string): Promise<{ readonly type: string; readonly bytes: Uint8Array | string }> {
  if (path === "/") return { type: "text/html", bytes: PAGE };
  const file = normalize(join(DIST, path.replace(/^\/holdfast\//, "")));
  if (!path.startsWith("/holdfast/") || !file.startsWith(DIST)) throw new Error(`There is no ${path}`);
  return { type: file.endsWith(".js") ? "text/javascript" : "application/json", bytes: await readFile(file) };
}
