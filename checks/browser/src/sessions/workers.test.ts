// Sessions of workers, which have no window: dedicated and shared ones.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "holdfast-testkit";
import type { Page } from "playwright-core";
import { Browser, skip } from "../browser/chromium.js";
import "../browser/page-globals.js";
import { NO_FAULTS } from "./counted.js";
import type { Request } from "./session-worker.js";
import { openSessionScene } from "./session-scene.js";
import { nextStream } from "./streams.js";

describe("A session of a worker in Chromium", { skip, timeout: 300_000 }, () => {
  let browser: Browser;
  let tab: Page | undefined;

  before(async () => {
    browser = await Browser.start();
  });
  after(() => browser[Symbol.asyncDispose]());

  for (const kind of ["Worker", "SharedWorker"] as const) {
    test(`L1: in a ${kind}, cuts lose, duplicate and reorder nothing`, async () => {
      await using scene = await openSessionScene();
      const page = (tab = await browser.openPage(tab));
      const ask = await startWorker(page, kind);
      await ask({ start: scene.url });
      const atServer = await nextStream(scene, 1);
      for (let cut = 1; cut <= 3; cut++) {
        const { count } = atServer.tally;
        await eventually(() => atServer.tally.count >= count + 50, "messages of the worker", 30_000);
        const { accepted } = scene.proxy;
        scene.proxy.cut({ kind: "rst" });
        await eventually(() => scene.proxy.accepted > accepted, "another socket", 30_000);
      }
      const sentByServer = atServer.stop();
      const sent = (await ask({ stop: true })) as number;
      await eventually(() => atServer.tally.count >= sent, "all messages of the worker", 30_000);
      assert.deepEqual(atServer.tally.faults(sent), NO_FAULTS);
      const { faults } = (await ask({ sent: await sentByServer })) as { readonly faults: unknown };
      assert.deepEqual([faults, scene.streams.length], [NO_FAULTS, 1]);
    });
  }

  test("L9: `sessionStorageKeep()` in a worker says that it has no storage", async () => {
    const page = (tab = await browser.openPage(tab));
    const message = await page.evaluate(async () => {
      const script = `import { sessionStorageKeep } from "${location.origin}/holdfast/browser.js";
        try { sessionStorageKeep(); } catch (error) { postMessage(error.message); }`;
      const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
      const worker = new Worker(url, { type: "module" });
      return new Promise<string>((resolve) => {
        worker.addEventListener("message", ({ data }) => resolve(String(data)));
        worker.addEventListener("error", ({ message: text }) => resolve(`error: ${text}`));
      });
    });
    assert.match(message, /^Expected a page for `sessionStorageKeep\(\)`, got a worker/);
  });
});

async function startWorker(
  page: Page,
  kind: "SharedWorker" | "Worker",
): Promise<(request: Request) => Promise<unknown>> {
  await page.evaluate((name) => {
    const url = "/checks/sessions/session-worker.js";
    const port =
      name === "Worker"
        ? new Worker(url, { type: "module" })
        : new SharedWorker(url, { type: "module" }).port;
    if (port instanceof MessagePort) port.start();
    globalThis.kept = { port };
  }, kind);
  return (request) =>
    page.evaluate(async (asked) => {
      const port = kept["port"] as MessagePort;
      const answered = new Promise<{ readonly result?: unknown; readonly error?: string }>((resolve) => {
        port.addEventListener("message", ({ data }) => resolve(data as { readonly result?: unknown }), {
          once: true,
        });
      });
      port.postMessage(asked);
      const { result, error } = await answered;
      if (error !== undefined) throw new Error(error);
      return result;
    }, request);
}
