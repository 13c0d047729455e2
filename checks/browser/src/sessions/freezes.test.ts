// Sessions of pages that Chromium really stops: frozen, as it does to hidden tabs after some minutes, or put into the
// back/forward cache.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { eventually, slowness } from "holdfast-testkit";
import { Browser, skip } from "../browser/chromium.js";
import { NO_FAULTS, PAUSE } from "./counted.js";
import type { PageStream } from "./page-stream.js";
import { openSessionScene } from "./session-scene.js";
import { assertExactlyOnce, bothProgress, nextStream, sees, startStream } from "./streams.js";

const LIMIT = { timeout: 180_000 };

/** Milliseconds without a message, after which the page counts as frozen. */
const STILL = 25 * PAUSE * slowness();

describe("A session of a page that is frozen in Chromium", { skip, timeout: 600_000 }, () => {
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

  test(
    "L9: a page that returns from the back/forward cache continues the session of the page that is left",
    LIMIT,
    async () => {
      await using scene = await openSessionScene();
      const page = await browser.openPage();
      await page.evaluate(connectAndKeep, scene.url);
      await eventually(() => scene.streams.length === 1, "the session", 30_000);
      const [atServer] = scene.streams;
      assert(atServer !== undefined);
      await page.goto(`${browser.origin}/?next`);
      await page.waitForFunction("globalThis.holdfast !== undefined");
      await page.evaluate(connectAndKeep, scene.url);
      await page.waitForFunction(() => (kept["events"] as string[]).includes("resumed"));
      await atServer.connection.send("not read", { until: "delivered" });
      const tab = await browser.context.newCDPSession(page);
      const becomes = async (expression: string, expected: string): Promise<void> => {
        for (const deadline = performance.now() + 30_000; ;) {
          const { result } = await tab.send("Runtime.evaluate", { expression });
          if (result.value === expected) return;
          assert(performance.now() < deadline, `Expected ${expected}, got ${String(result.value)}.`);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      };
      await tab.send("Runtime.evaluate", { expression: "history.back()" });
      await becomes("location.search + kept?.events", "detached,resumed");
      await tab.send("Runtime.evaluate", {
        expression: "void kept.link.recv().then((message) => kept.events.push(message))",
      });
      await becomes("kept.events.at(-1)", "not read");
      assert.equal(scene.streams.length, 1);
      await page.close();
    },
  );

  test("L9: a page that returns from the back/forward cache continues its session", LIMIT, async () => {
    await using scene = await openSessionScene();
    const page = await browser.openPage();
    await startStream(page, scene.url, { keep: true });
    const atServer = await nextStream(scene, 1);
    await bothProgress(page, atServer);
    // The event `pagehide` stops the stream.
    await page.evaluate(() =>
      addEventListener("pageshow", ({ persisted }) => persisted && (kept["stream"] as PageStream).start()),
    );
    await page.goto(`${browser.origin}/checks/sessions/page-stream.js`);
    await eventually(() => atServer.connection.session?.isAttached === false, "the end of the socket");
    const { count } = atServer.tally;
    // Playwright loses sight of a page that returns, so that it is asked by CDP.
    const tab = await browser.context.newCDPSession(page);
    const ask = async (expression: string): Promise<unknown> => {
      const { result } = await tab.send("Runtime.evaluate", {
        expression,
        awaitPromise: true,
        returnByValue: true,
      });
      return result.value;
    };
    await ask("history.back()");
    await eventually(() => atServer.tally.count >= count + 50, "messages of the page that returned", 30_000);
    const [toPage, toServer] = await Promise.all([atServer.stop(), ask("kept.stream.stop()")]);
    await eventually(() => atServer.tally.count >= Number(toServer), "all messages of the page", 30_000);
    assert.deepEqual(atServer.tally.faults(Number(toServer)), NO_FAULTS);
    assert.deepEqual(await ask(`kept.stream.faults(${toPage})`), NO_FAULTS);
    assert.deepEqual(await ask("kept.stream.events"), ["detached", "resumed"]);
    assert.equal(scene.streams.length, 1);
    await page.close();
  });
});

/** Resolves once a count has not grown for a while. */
async function standsStill(count: () => number): Promise<void> {
  let last = { count: -1, at: 0 };
  const isStill = (): boolean => {
    const now = performance.now();
    if (count() !== last.count) last = { count: count(), at: now };
    return now - last.at >= STILL;
  };
  await eventually(isStill, "a page that stands still", 60_000); // Chromium takes its time on a busy machine.
}

/** Runs in a page. Resolves when the connection is open. */
function connectAndKeep(url: string): Promise<void> {
  const link = holdfast.connectPersistent(url, { session: { keep: holdfast.sessionStorageKeep() } });
  const events: string[] = [];
  for (const name of ["detached", "resumed", "lost"] as const) link.on(name, () => events.push(name));
  globalThis.kept = { link, events };
  return new Promise((resolve) => link.on("open", () => resolve()));
}
