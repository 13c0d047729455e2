// Headless Chromium with an empty profile, on local pages that import the library as it ships.

import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser as DrivenBrowser, type BrowserContext, chromium, type Page } from "playwright-core";
import { type RunningChromium, startPlainChromium } from "./plain-chromium.js";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Milliseconds for whatever only has to end: to start, to load a page, to show an element. */
const PATIENCE = 60_000;

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
  /** The origin of the pages. */
  readonly origin: string;
  readonly #site: Server;
  readonly #running: RunningChromium;

  /**
   * `isPlain`: a browser that hides and throttles background tabs, like a user's. By default every page has
   * the focus.
   */
  static async start({ isPlain = false } = {}): Promise<Browser> {
    if (executable === null) throw new Error("Expected Chromium to be installed");
    const site = createServer((request, response) => {
      const [, ms] = /^\/block\/(\d+)$/.exec(request.url ?? "") ?? [];
      if (ms !== undefined) {
        setTimeout(() => response.end(), Number(ms));
        return;
      }
      fileOf(request.url ?? "/").then(
        ({ type, bytes }) => response.setHeader("Content-Type", type).end(bytes),
        () => response.writeHead(404).end(),
      );
    });
    site.listen(0, "127.0.0.1");
    await once(site, "listening");
    const running = isPlain ? await startPlain(executable) : await startDriven(executable);
    const { port } = site.address() as AddressInfo; // The server listens on TCP.
    return new Browser(`http://127.0.0.1:${port}`, site, running);
  }

  private constructor(origin: string, site: Server, running: RunningChromium) {
    this.context = running.context;
    this.context.setDefaultTimeout(PATIENCE);
    this.origin = origin;
    this.#site = site;
    this.#running = running;
  }

  /**
   * Opens a page on which `holdfast` is the library, loaded as modules without a bundler. With the tab of an earlier test,
   * which costs a third of a new one, nothing of its former page is left.
   */
  async openPage(tab?: Page): Promise<Page> {
    const page = tab ?? (await this.context.newPage());
    await page.goto(`${this.origin}/`);
    await page.waitForFunction("globalThis.holdfast !== undefined");
    if (tab !== undefined) await page.evaluate(() => sessionStorage.clear());
    return page;
  }

  /** Stops the processes of all pages, like a machine that goes to sleep. */
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
    await this.#running.close();
    this.#site.close();
    this.#site.closeAllConnections();
  }
}

async function startPlain(executablePath: string): Promise<RunningChromium> {
  const profile = await mkdtemp(join(tmpdir(), "holdfast-chromium-"));
  const running = await startPlainChromium(executablePath, profile, FLAGS);
  return {
    context: running.context,
    async close() {
      await running.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Milliseconds for which a Chromium without users waits for the next one: the next test file of this process. */
const LINGER = 2_000;

let driven: { readonly launched: Promise<DrivenBrowser>; users: number } | null = null;

/** One Chromium for this process, since its start takes longer than many tests; each user has a profile of its own. */
async function startDriven(executablePath: string): Promise<RunningChromium> {
  driven ??= {
    launched: chromium.launch({ executablePath, headless: true, args: FLAGS, timeout: PATIENCE }),
    users: 0,
  };
  const own = driven;
  own.users++;
  const browser = await own.launched;
  const context = await browser.newContext();
  return {
    context,
    async close() {
      await context.close();
      own.users--;
      setTimeout(() => {
        if (own.users > 0 || driven !== own) return;
        driven = null;
        void browser.close();
      }, LINGER);
    },
  };
}

const PAGE = `<!doctype html><meta charset="utf-8"><title>Holdfast</title>
<script type="module">
globalThis.block = (ms) => {
  const request = new XMLHttpRequest();
  request.open("GET", "/block/" + ms, false);
  request.send();
};
globalThis.holdfast = await import("/holdfast/browser.js");
</script>`;

/** The folders that the site serves: the library as it ships, and these checks, for modules that run in a page. */
const FOLDERS: readonly (readonly [prefix: string, folder: string])[] = [
  ["/holdfast/", fileURLToPath(new URL(".", import.meta.resolve("holdfast")))],
  ["/checks/", fileURLToPath(new URL("..", import.meta.url))],
];

async function fileOf(path: string): Promise<{ readonly type: string; readonly bytes: Uint8Array | string }> {
  if (/^\/(\?|$)/.test(path)) return { type: "text/html", bytes: PAGE };
  const [prefix = "", folder = ""] = FOLDERS.find(([each]) => path.startsWith(each)) ?? [];
  const file = normalize(join(folder, path.slice(prefix.length)));
  if (folder === "" || !file.startsWith(folder)) throw new Error(`There is no ${path}`);
  return { type: file.endsWith(".js") ? "text/javascript" : "application/json", bytes: await readFile(file) };
}
