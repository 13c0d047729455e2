// A page that suspects its peer opens a second socket; the session continues on the one that answers first.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { eventually } from "holdfast-testkit";
import { Browser, skip } from "../browser/chromium.js";
import "../browser/page-globals.js";
import type { PageStream } from "./page-stream.js";
import { openSessionScene, type ServerStream, type SessionScene } from "./session-scene.js";
import { assertExactlyOnce, bothProgress, nextStream, sees, startStream } from "./streams.js";

const LIMIT = { timeout: 120_000 };

/** Pings so often that five samples come soon. The verdict comes so late that only a race can replace the socket. */
const DETECTION = { maxPeriod: 300, floor: 30_000 };

describe("Two sockets of a page in Chromium race", { skip, timeout: 300_000 }, () => {
  let browser: Browser;
  let tab: Page | undefined;

  before(async () => {
    browser = await Browser.start();
  }, LIMIT);
  after(() => browser[Symbol.asyncDispose](), LIMIT);

  /** A session whose adaptive detection has enough samples. Keeps its connection as `kept.first`. */
  async function openSession(scene: SessionScene): Promise<{ page: Page; atServer: ServerStream }> {
    const page = (tab = await browser.openPage(tab));
    await startStream(page, scene.url, { detection: DETECTION, pingInterval: 30_000, pingTimeout: 30_000 });
    const atServer = await nextStream(scene, 1);
    await bothProgress(page, atServer);
    await page.waitForFunction(() => (kept["stream"] as PageStream).connection.latencyStats.answered >= 6);
    await page.evaluate(() => (kept["first"] = (kept["stream"] as PageStream).connection.connection));
    return { page, atServer };
  }

  test(
    "O3: the first link freezes; the session continues on a second socket, and loses nothing",
    LIMIT,
    async () => {
      await using scene = await openSessionScene();
      const { page, atServer } = await openSession(scene);
      scene.proxy.connections[0]?.freeze();
      await sees(page, "resumed");
      await bothProgress(page, atServer);
      const first = await page.evaluate(async () => {
        const { connection } = kept["stream"] as PageStream;
        const former = kept["first"] as NonNullable<typeof connection.connection>;
        const { sent } = await former.closed;
        return { isCurrent: connection.connection === former, reason: sent?.reason };
      });
      assert.deepEqual(first, { isCurrent: false, reason: "suspected and replaced" });
      assert.deepEqual(await assertExactlyOnce(page, atServer), ["suspect", "detached", "resumed"]);
      assert.equal(scene.streams.length, 1);
    },
  );

  test(
    "O3: the first link was only late; the session stays on it, and the second socket is dropped",
    LIMIT,
    async () => {
      await using scene = await openSessionScene();
      const { page, atServer } = await openSession(scene);
      const [first] = scene.proxy.connections;
      scene.proxy.freeze();
      await sees(page, "suspect");
      await eventually(() => scene.proxy.connections.length === 2, "the second socket", 30_000);
      first?.thaw();
      await bothProgress(page, atServer);
      scene.proxy.thaw();
      await eventually(() => scene.proxy.connections.length === 1, "the end of the second socket", 30_000);
      assert.deepEqual(scene.proxy.connections, [first]);
      const isCurrent = await page.evaluate(
        () => (kept["stream"] as PageStream).connection.connection === kept["first"],
      );
      assert.equal(isCurrent, true);
      assert.deepEqual(await assertExactlyOnce(page, atServer), ["suspect"]);
    },
  );
});
