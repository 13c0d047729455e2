// Sessions of pages that Chromium really stops: frozen in the background, as it does to hidden tabs after some minutes.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { eventually } from "holdfast-testkit";
import { Browser, skip } from "../browser/chromium.js";
import { openSessionScene } from "./session-scene.js";
import { assertExactlyOnce, bothProgress, nextStream, sees, startStream } from "./streams.js";

const LIMIT = { timeout: 40_000 };

/** Milliseconds without a message, after which the page counts as frozen: it sends one every few milliseconds. */
const STILL = 500;

describe("A session of a page that is frozen in Chromium", { skip, timeout: 120_000 }, () => {
  let browser: Browser;

  before(async () => {
    browser = await Browser.start({ isPlain: true });
  }, LIMIT);
  after(() => browser[Symbol.asyncDispose](), LIMIT);

  async function setState(page: Page, state: "active" | "frozen"): Promise<void> {
    const session = await browser.context.newCDPSession(page);
    await session.send("Page.setWebLifecycleState", { state });
    await session.detach();
  }

  const CASES = [
    // Chromium itself ends the socket of a frozen page, sooner or later.
    { title: "whose socket is cut meanwhile", keep: false },
    { title: "that stores its session", keep: true },
  ];

  for (const { title, keep } of CASES) {
    test(`L1: a frozen page ${title} loses and repeats nothing`, LIMIT, async () => {
      await using scene = await openSessionScene();
      const page = await browser.openPage();
      await startStream(page, scene.url, { keep });
      const atServer = await nextStream(scene, 1);
      await bothProgress(page, atServer);
      await setState(page, "frozen");
      await standsStill(() => atServer.tally.count);
      // A page that stores its session gives its socket up.
      assert.equal(atServer.connection.session?.isAttached, !keep);
      if (!keep) scene.proxy.cut({ kind: "rst" });
      await setState(page, "active");
      await page.bringToFront();
      await sees(page, "resumed");
      await bothProgress(page, atServer);
      assert.deepEqual(await assertExactlyOnce(page, atServer), ["detached", "resumed"]);
      assert.equal(scene.streams.length, 1);
      await page.close();
    });
  }
});

/** Resolves once a count has not grown for a while. */
async function standsStill(count: () => number): Promise<void> {
  let last = { count: -1, at: 0 };
  const isStill = (): boolean => {
    const now = performance.now();
    if (count() !== last.count) last = { count: count(), at: now };
    return now - last.at >= STILL;
  };
  await eventually(isStill, "a page that stands still", 10_000);
}
