// Sessions of a page: nothing is lost or duplicated, whatever happens to its sockets.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { eventually, slowness } from "holdfast-testkit";
import { Browser, skip } from "../browser/chromium.js";
import { cutAtRandomBytes } from "./cuts.js";
import { NO_FAULTS } from "./counted.js";
import type { PageStream } from "./page-stream.js";
import { openSessionScene } from "./session-scene.js";
import { assertExactlyOnce, bothProgress, nextStream, sees, startStream } from "./streams.js";

/** Of each test, in milliseconds: more than Playwright waits, so that a failure says for what. */
const LIMIT = { timeout: 120_000 };

describe("A session of a page in Chromium", { skip, timeout: 300_000 }, () => {
  let browser: Browser;
  let tab: Page | undefined;

  before(async () => {
    browser = await Browser.start();
  }, LIMIT);
  after(() => browser[Symbol.asyncDispose](), LIMIT);

  const openPage = async (): Promise<Page> => (tab = await browser.openPage(tab));

  test(
    "L1: 25 cuts at random bytes lose, duplicate and reorder nothing, in both directions",
    LIMIT,
    async (t) => {
      await using scene = await openSessionScene();
      const page = await openPage();
      const seed = 25;
      const { seconds: _, resumed, ...report } = await cutAtRandomBytes(page, scene, { cuts: 25, seed });
      const { toServer, toPage, events } = report;
      t.diagnostic(`seed ${seed}: ${toServer.sent} and ${toPage.sent} messages, resumed ${resumed} times`);
      assert.deepEqual(report, {
        cuts: 25,
        sessions: 1,
        toServer: { sent: toServer.sent, ...NO_FAULTS },
        toPage: { sent: toPage.sent, ...NO_FAULTS },
        events,
      });
      assert.deepEqual(
        events.filter((name) => name !== "resumed" && name !== "detached"),
        [],
      );
      assert(resumed > 0);
    },
  );

  test("L1: the page negotiates version 2, pings with messages, and both ends confirm", LIMIT, async () => {
    await using scene = await openSessionScene({ subprotocols: ["chat"] });
    const page = await openPage();
    await startStream(page, scene.url, { subprotocols: ["chat"], pingInterval: 50 });
    const atServer = await nextStream(scene, 1);
    await bothProgress(page, atServer);
    await page.waitForFunction(() => (kept["stream"] as PageStream).connection.latencyStats.answered >= 3);
    const inPage = await page.evaluate(() => {
      const { connection } = kept["stream"] as PageStream;
      return { id: connection.session?.id, subprotocol: connection.connection?.subprotocol };
    });
    assert.deepEqual(inPage, { id: atServer.connection.session?.id, subprotocol: "chat" });
    assert.equal(atServer.connection.response.headers.get("Sec-WebSocket-Protocol"), "holdfast.v2+chat");
    assert.deepEqual(await assertExactlyOnce(page, atServer), []);
  });

  test(
    "L1: the heartbeat's verdict detaches the session, and the next socket resumes it",
    LIMIT,
    async () => {
      await using scene = await openSessionScene();
      const page = await openPage();
      await startStream(page, scene.url, { pingInterval: 200, pingTimeout: 1_000 * slowness() });
      const atServer = await nextStream(scene, 1);
      await bothProgress(page, atServer);
      scene.proxy.freeze();
      await sees(page, "detached");
      scene.proxy.thaw();
      await sees(page, "resumed");
      await bothProgress(page, atServer);
      assert.deepEqual(await assertExactlyOnce(page, atServer), ["detached", "resumed"]);
      assert.equal(scene.streams.length, 1);
    },
  );

  test("L1: a page that was offline resumes when the network returns", LIMIT, async () => {
    await using scene = await openSessionScene();
    const page = await openPage();
    await startStream(page, scene.url, { pingInterval: 200, pingTimeout: 1_000 * slowness() });
    const atServer = await nextStream(scene, 1);
    await bothProgress(page, atServer);
    await browser.context.setOffline(true);
    await sees(page, "detached").finally(() => browser.context.setOffline(false));
    await sees(page, "resumed");
    await bothProgress(page, atServer);
    await assertExactlyOnce(page, atServer);
    assert.equal(scene.streams.length, 1);
  });

  test("L9: a page that is reloaded in the middle of a stream continues its session", LIMIT, async () => {
    await using scene = await openSessionScene();
    const page = await openPage();
    await startStream(page, scene.url, { keep: true });
    const atServer = await nextStream(scene, 1);
    for (let reload = 0; reload < 3; reload++) {
      await bothProgress(page, atServer);
      await page.reload();
      await page.waitForFunction("globalThis.holdfast !== undefined");
      await startStream(page, scene.url, { keep: true });
    }
    await bothProgress(page, atServer);
    assert.deepEqual(await assertExactlyOnce(page, atServer), ["resumed"]);
    assert.equal(scene.streams.length, 1);
  });

  test("L9: two tabs are two sessions, also if one is a copy of the other", LIMIT, async () => {
    await using scene = await openSessionScene();
    const page = await openPage();
    await startStream(page, scene.url, { keep: true });
    const atServer = await nextStream(scene, 1);
    await bothProgress(page, atServer);
    const copy = await openCopy(page);
    await startStream(copy, scene.url, { keep: true });
    const ofCopy = await nextStream(scene, 2);
    await bothProgress(page, atServer);
    await bothProgress(copy, ofCopy);
    assert.deepEqual(await assertExactlyOnce(page, atServer), []);
    assert.deepEqual(await assertExactlyOnce(copy, ofCopy), []);
    await copy.close();
  });

  test("L9: a copy that `window.open()` makes of a stored session is not used", LIMIT, async () => {
    await using scene = await openSessionScene();
    const page = await openPage();
    await startStream(page, scene.url, { keep: true });
    const atServer = await nextStream(scene, 1);
    await bothProgress(page, atServer);
    await page.reload(); // The session is stored now, and nothing uses it yet.
    await page.waitForFunction("globalThis.holdfast !== undefined");
    const copy = await openCopy(page);
    await copy.evaluate(() => sessionStorage.removeItem("stream"));
    await leave(copy, "assign"); // Without having used the library.
    await startStream(copy, scene.url, { keep: true });
    const ofCopy = await nextStream(scene, 2);
    await startStream(page, scene.url, { keep: true });
    await bothProgress(page, atServer);
    await assertExactlyOnce(page, atServer);
    await assertExactlyOnce(copy, ofCopy);
    await copy.close();
  });

  test("L9: a window that a page has opened continues its own session", LIMIT, async () => {
    await using scene = await openSessionScene();
    const opened = await openCopy(await openPage());
    await startStream(opened, scene.url, { keep: true });
    const atServer = await nextStream(scene, 1);
    for (const how of ["assign", "replace"] as const) {
      await bothProgress(opened, atServer);
      await leave(opened, how);
      await startStream(opened, scene.url, { keep: true });
    }
    await bothProgress(opened, atServer);
    assert.deepEqual(await assertExactlyOnce(opened, atServer), ["resumed"]);
    assert.equal(scene.streams.length, 1);
    await opened.close();
  });

  test(
    "L9: a page that gets the event `freeze` stores its session, and continues it afterwards",
    LIMIT,
    async () => {
      await using scene = await openSessionScene();
      const page = await openPage();
      await startStream(page, scene.url, { keep: true });
      const atServer = await nextStream(scene, 1);
      const isStored = (): Promise<boolean> =>
        page.evaluate(() => sessionStorage.getItem("holdfast.session.default") !== null);
      // Chromium freezes hidden pages after minutes, and a driven page is never hidden. The events are those of the standard.
      for (let freeze = 1; freeze <= 2; freeze++) {
        await bothProgress(page, atServer);
        await page.evaluate(() => document.dispatchEvent(new Event("freeze")));
        await eventually(() => atServer.connection.session?.isAttached === false, "the end of the socket");
        assert.equal(await isStored(), true);
        await page.evaluate(() => document.dispatchEvent(new Event("resume")));
        await sees(page, "resumed", freeze);
        assert.equal(await isStored(), false);
      }
      await bothProgress(page, atServer);
      await assertExactlyOnce(page, atServer);
      assert.equal(scene.streams.length, 1);
    },
  );

  test("L9: two connections of a page cannot share a keep", LIMIT, async () => {
    const page = await openPage();
    const message = await page.evaluate(() => {
      const session = { keep: holdfast.sessionStorageKeep("a") };
      const first = holdfast.connectPersistent("/", { session });
      try {
        holdfast.connectPersistent("/", { session });
        return "";
      } catch (error) {
        return (error as Error).message;
      } finally {
        first.terminate();
      }
    });
    assert.match(message, /Expected a keep that no other connection of this page uses/);
  });

  /** Goes to another page of the site, as its own code does. */
  async function leave(page: Page, how: "assign" | "replace"): Promise<void> {
    const url = `/?${how}`;
    await page.evaluate(([method, to]) => setTimeout(() => location[method](to)), [how, url] as const);
    await page.waitForURL(`**${url}`);
    await page.waitForFunction("globalThis.holdfast !== undefined");
  }

  async function openCopy(page: Page): Promise<Page> {
    const [copy] = await Promise.all([
      page.waitForEvent("popup"),
      page.evaluate(() => void window.open("/")),
    ]);
    await copy.waitForFunction("globalThis.holdfast !== undefined");
    return copy;
  }
});
