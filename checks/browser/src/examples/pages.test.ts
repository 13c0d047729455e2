// The example pages in Chromium: React (StrictMode, server rendering, hot reload), and one connection for all tabs.

import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Server } from "holdfast";
import type { Page } from "playwright-core";
import { Browser, skip } from "../browser/chromium.js";

/** The part of examples/pages/src/dev-server.ts in use here. */
interface DevServer extends AsyncDisposable {
  readonly url: string;
  readonly sockets: Server;
}

const EXAMPLE = new URL("../../../../examples/pages/", import.meta.url);
/** Copies are edited. They are in examples/, where React is. */
const COPIES = fileURLToPath(new URL("../.cache/", EXAMPLE));

async function startDevServer(root: string): Promise<DevServer> {
  const { startDevServer: start } = (await import(new URL("dist/dev-server.js", EXAMPLE).href)) as {
    readonly startDevServer: (root: string, port: number) => Promise<DevServer>;
  };
  return start(root, 0);
}

describe("Example pages", { skip, timeout: 300_000 }, () => {
  let root: string;
  let server: DevServer;
  let browser: Browser;
  /** Errors and warnings on the consoles of the pages. */
  const complaints: string[] = [];

  before(async () => {
    await mkdir(COPIES, { recursive: true });
    root = await mkdtemp(join(COPIES, "pages-"));
    for (const name of ["index.html", "shared-worker.html", "src"])
      await cp(fileURLToPath(new URL(name, EXAMPLE)), join(root, name), { recursive: true });
    server = await startDevServer(root);
    browser = await Browser.start();
  });
  after(async () => {
    await browser[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await rm(root, { recursive: true, force: true, maxRetries: 5 });
  });

  async function open(path: string): Promise<Page> {
    const page = await browser.context.newPage();
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("pageerror", ({ message }) => complaints.push(message));
    await page.goto(`${server.url}${path}`);
    return page;
  }

  async function send(page: Page, text: string): Promise<void> {
    await page.locator("input").fill(text);
    await page.getByRole("button").click();
  }

  const isOpen = (page: Page): Promise<void> => page.locator("#state", { hasText: /^open$/ }).waitFor();
  const received = (page: Page): Promise<string[]> => page.locator("#messages li").allTextContents();
  const shows = (page: Page, text: string): Promise<void> =>
    page.locator("#messages li", { hasText: text }).waitFor();

  /** The pages' only way to the server is the network, so the server's side is polled. */
  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  const noConnections = (): Promise<void> => until(() => server.sockets.connections.size === 0);

  /** Closes every connection, and waits for the next one. */
  async function cut(): Promise<void> {
    const earlier = new Set(server.sockets.connections);
    for (const connection of earlier) void connection.close(1012);
    await until(() => [...server.sockets.connections].some((connection) => !earlier.has(connection)));
  }

  test("I1: the server renders the React page, and opens no connection for that", async () => {
    const html = await (await fetch(server.url)).text();
    assert.match(html, /The connection is <output id="state">connecting<\/output>/);
    assert.equal(server.sockets.connections.size, 0);
  });

  test("I1: with React in StrictMode there is one connection, also after hot reload and a lost connection", async () => {
    const ids = new Set<string>();
    const note = (): void => {
      for (const { id } of server.sockets.connections) ids.add(id);
    };
    const page = await open("/");
    await isOpen(page);
    note();
    await send(page, "before the edit");
    await shows(page, "before the edit");

    const file = join(root, "src/react/app.tsx");
    const code = await readFile(file, "utf8");
    await writeFile(file, code.replace("The connection is", "After the edit it is"));
    await page.getByText("After the edit it is").waitFor();
    await shows(page, "before the edit"); // Not a reload of the page: the message is still there.
    await send(page, "after the edit");
    await shows(page, "after the edit");
    note();
    assert.equal(ids.size, 1);

    await cut();
    await isOpen(page);
    assert.equal(server.sockets.connections.size, 1);
    await send(page, "on the next connection");
    await shows(page, "on the next connection");
    assert.deepEqual(await received(page), ["before the edit", "after the edit", "on the next connection"]);
    await page.close();
    await noConnections();
    assert.deepEqual(complaints, []);
  });

  test("I1: with a SharedWorker all tabs share one connection, which outlives the tab that opened it", async () => {
    const first = await open("/shared-worker.html");
    await isOpen(first);
    const [connection] = server.sockets.connections;
    const others = [await open("/shared-worker.html"), await open("/shared-worker.html")];
    await Promise.all(others.map(isOpen));
    await send(first, "from the first tab");
    await Promise.all([first, ...others].map((page) => shows(page, "from the first tab")));
    assert.deepEqual([...server.sockets.connections], [connection]);

    await first.close();
    const [second, third] = others as [Page, Page];
    await send(second, "from the second tab");
    await shows(third, "from the second tab");
    assert.deepEqual([...server.sockets.connections], [connection]);

    await cut();
    await Promise.all(others.map(isOpen));
    assert.equal(server.sockets.connections.size, 1);

    await second.close();
    await third.close();
    await noConnections(); // The browser ended the worker with its last tab.
    assert.deepEqual(complaints, []);
  });
});
