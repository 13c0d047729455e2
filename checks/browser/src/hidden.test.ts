// A hidden tab, whose timers Chromium throttles, and a frozen page, which it stops.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { Connection } from "holdfast/browser";
import type { Page } from "playwright-core";
import { slowness } from "holdfast-testkit";
import { assertAlive } from "./browser/alive.js";
import { Browser, skip } from "./browser/chromium.js";
import { openScene, type Scene } from "./browser/scene.js";
import "./browser/page-globals.js";

/** Throttled timers are a second late. That counts as no gap if the tolerance is two seconds or more. */
const INTERVAL = 500;
const TIMEOUT = 2_000 * slowness();

/** Too long to expire within a test, so that only a return causes a probe. */
const LONG = 60_000;

/** Timers of a hidden tab fire once a second, including those that a verdict waits for. */
const THROTTLED = 1_000;

/** How often a peer may get its whole time again, because a timer was late by more than the allowed gap. */
const GRACES = 3;

/** The delay that a busy machine may add. A longer one violates the bound. */
const MARGIN = 20_000;

describe("Hidden tabs and frozen pages in Chromium", { skip, timeout: 300_000 }, () => {
  let browser: Browser;
  let page: Page;

  before(async () => {
    browser = await Browser.start({ isPlain: true });
  });
  after(() => browser[Symbol.asyncDispose]());
  beforeEach(async () => {
    await Promise.all(
      browser.context
        .pages()
        .slice(1)
        .map((other) => other.close()),
    );
  });

  async function connect(scene: Scene, interval = INTERVAL): Promise<void> {
    page = await browser.openPage();
    await page.evaluate(
      async ([to, pingInterval, pingTimeout]) => {
        const connection = await holdfast.connect(to, { pingInterval, pingTimeout });
        globalThis.kept = { connection };
        await connection.ping();
      },
      [scene.url, interval, TIMEOUT] as const,
    );
  }

  /** Shows another tab in front of this one. */
  async function hide(): Promise<void> {
    await browser.context.newPage();
    await page.waitForFunction(() => document.visibilityState === "hidden", undefined, { polling: 50 });
  }

  /** Simulates what Chromium does to hidden tabs after some minutes (Page Lifecycle). */
  async function setState(state: "frozen" | "active"): Promise<void> {
    const session = await browser.context.newCDPSession(page);
    await session.send("Page.setWebLifecycleState", { state });
    await session.detach();
  }

  async function verdict(): Promise<{ readonly cause: string; readonly ms: number }> {
    return page.evaluate(async () => {
      const from = performance.now();
      const { cause } = await (kept["connection"] as Connection).closed;
      return { cause, ms: performance.now() - from };
    });
  }

  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  test("I3: a hidden tab with throttled timers is not misjudged, and continues to ping", async () => {
    await using scene = await openScene();
    await connect(scene);
    await hide();
    const hidden = await page.evaluate(async () => {
      const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));
      const from = performance.now();
      for (let count = 0; count < 3; count++) await wait();
      const { answered } = (kept["connection"] as Connection).latencyStats;
      return { took: performance.now() - from, answered };
    });
    assert(hidden.took > 1_500, `Expected throttled timers; three of 50 ms took ${hidden.took} ms`);
    await pause(4 * THROTTLED);
    await assertAlive(page);
    // It continues to ping.
    await page.waitForFunction(
      (count) => (kept["connection"] as Connection).latencyStats.answered >= count + 2,
      hidden.answered,
      { polling: 100, timeout: 30_000 },
    );
  });

  test("I3: a hidden tab detects a silent network, delayed by its throttled timers", async (t) => {
    await using scene = await openScene();
    await connect(scene);
    await hide();
    scene.proxy.freeze();
    const { cause, ms } = await verdict();
    t.diagnostic(`verdict after ${ms.toFixed()} ms`);
    assert.equal(cause, "heartbeat-timeout");
    assert(ms <= (1 + GRACES) * (INTERVAL + TIMEOUT + 2 * THROTTLED) + MARGIN, `${ms} ms`);
  });

  test("I3: a page that was frozen for longer than interval + timeout is not misjudged, and is connected soon after", async (t) => {
    await using scene = await openScene();
    page = await browser.openPage();
    await page.evaluate(
      ([to, pingInterval, pingTimeout]) => {
        const causes: string[] = [];
        const client = new holdfast.Client(to, { pingInterval, pingTimeout });
        globalThis.kept = { client, causes, echoes: 0 };
        void (async () => {
          for await (const event of holdfast.persist(client, { firstDelay: 500 })) {
            if (event.type === "ready") await client.send("here I am");
            if (event.type === "text") kept["echoes"] = Number(kept["echoes"]) + 1;
            if (event.type === "disconnected") causes.push(event.info.cause);
          }
        })();
      },
      [scene.url, INTERVAL, TIMEOUT] as const,
    );
    await hasEchoes(1);
    await hide();
    await setState("frozen");
    await pause(3 * (INTERVAL + TIMEOUT));
    await setState("active");
    // Chromium 156 itself ends the connection of a page that was frozen; the server sees 1001.
    await pause(THROTTLED);
    const causes = await page.evaluate(() => kept["causes"] as string[]);
    t.diagnostic(`ended by: ${causes.join(", ") || "nothing"}`);
    assert(!causes.includes("heartbeat-timeout"), causes.join());
    await hasEchoes(scene.connections[0]?.state === "open" ? 1 : 2);
  });

  test("I3: a network that died while the page was hidden is detected soon after its return", async (t) => {
    await using scene = await openScene();
    await connect(scene, LONG);
    await hide();
    scene.proxy.freeze();
    await pause(TIMEOUT);
    await page.bringToFront();
    const { cause, ms } = await verdict();
    t.diagnostic(`verdict ${ms.toFixed()} ms after the return`);
    assert.equal(cause, "heartbeat-timeout");
    assert(ms <= TIMEOUT + THROTTLED + MARGIN, `${ms} ms`);
  });

  async function hasEchoes(count: number): Promise<void> {
    await page.waitForFunction((wanted) => Number(kept["echoes"]) >= wanted, count, {
      polling: 50,
      timeout: 30_000,
    });
  }
});
