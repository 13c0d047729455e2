// A page whose network dies receives a verdict, and a page that sleeps is not misjudged.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, slowness } from "holdfast-testkit";
import type { Connection } from "holdfast/browser";
import type { Page } from "playwright-core";
import { assertAlive } from "./browser/alive.js";
import { Browser, skip } from "./browser/chromium.js";
import { openScene } from "./browser/scene.js";
import "./browser/page-globals.js";

const INTERVAL = 400;
const TIMEOUT = 600 * slowness();

/** The delay that a busy machine may add. A longer one violates the bound. */
const MARGIN = 20_000;

describe("The life of a page in Chromium", { skip, timeout: 300_000 }, () => {
  let browser: Browser;
  let page: Page;
  /** Used by one test after the other. */
  let tab: Page | undefined;

  before(async () => {
    browser = await Browser.start();
  });
  after(() => browser[Symbol.asyncDispose]());

  async function connect(url: string): Promise<void> {
    page = tab = await browser.openPage(tab);
    await page.evaluate(
      async ([to, pingInterval, pingTimeout]) => {
        const connection = await holdfast.connect(to, { pingInterval, pingTimeout });
        const gaps: number[] = [];
        connection.on("suspended", ({ gap }) => gaps.push(gap));
        globalThis.kept = { connection, gaps };
        await connection.ping();
      },
      [url, INTERVAL, TIMEOUT] as const,
    );
  }

  test("I3: a silent network is detected within interval + timeout, while a bare WebSocket still says OPEN", async () => {
    await using scene = await openScene();
    await connect(scene.url);
    await page.evaluate(async (url) => {
      const bare = new WebSocket(url);
      await new Promise((resolve) => (bare.onopen = resolve));
      kept["bare"] = bare;
    }, scene.url);
    scene.proxy.freeze();
    const end = await page.evaluate(async () => {
      const from = performance.now();
      const info = await (kept["connection"] as Connection).closed;
      const { cause, message, evidence } = info;
      return {
        took: performance.now() - from,
        bare: (kept["bare"] as WebSocket).readyState,
        OPEN: WebSocket.OPEN,
        cause,
        message,
        answered: evidence.latency.answered > 0,
        explained: holdfast.explain(info),
      };
    });
    const { took, bare, OPEN, explained, ...rest } = end;
    assert(took <= INTERVAL + TIMEOUT + MARGIN, `${took} ms`);
    assert.equal(bare, OPEN);
    assert.match(explained, /did not answer a ping within [\d.]+ m?s/);
    assert.deepEqual(rest, {
      cause: "heartbeat-timeout",
      message: "sent 4011 (private use) keepalive ping timeout; no close frame received",
      answered: true,
    });
  });

  test("I3: persist() reconnects when the network returns", async () => {
    await using scene = await openScene();
    page = tab = await browser.openPage(tab);
    const events = page.evaluate(
      async ([url, pingInterval, pingTimeout]) => {
        const client = new holdfast.Client(url, { pingInterval, pingTimeout, pollInterval: null });
        const seen: string[] = [];
        let readies = 0;
        for await (const event of holdfast.persist(client, { firstDelay: 200, maxDelay: 300 })) {
          if (!["ping", "pong"].includes(event.type)) seen.push(event.type);
          if (event.type === "ready" && ++readies === 2) await client.close();
        }
        return seen;
      },
      [scene.url, INTERVAL, TIMEOUT] as const,
    );
    // A pong shows that the answer to the upgrade has arrived, so that the freeze does not hold it back.
    const isOpen = () => (scene.connections[0]?.latencyStats.answered ?? 0) > 0;
    await eventually(isOpen, "the first connection", 30_000);
    scene.proxy.freeze();
    await eventually(() => scene.proxy.accepted >= 2, "another attempt", 30_000);
    scene.proxy.thaw();
    const seen = await events;
    assert.deepEqual(seen.slice(0, 6), [
      "connecting",
      "connected",
      "ready",
      "unresponsive",
      "disconnected",
      "backOff",
    ]);
    assert.deepEqual(seen.slice(-5), ["connecting", "connected", "ready", "closed", "disconnected"]);
  });

  test("I3: a page that sleeps for longer than interval + timeout is not misjudged", async () => {
    await using scene = await openScene({ pingTimeout: null });
    await connect(scene.url);
    const stopped = await browser.stopPages();
    await new Promise((resolve) => setTimeout(resolve, 3 * (INTERVAL + TIMEOUT)));
    stopped.resume();
    await assertAlive(page);
    await new Promise((resolve) => setTimeout(resolve, INTERVAL + TIMEOUT));
    await assertAlive(page);
    const gaps = await page.evaluate(() => kept["gaps"] as number[]);
    assert(Math.max(...gaps) > INTERVAL + TIMEOUT, `Gaps of ${gaps.join(", ")} ms`);
  });

  test("I3: a page whose main thread is blocked for 3 × pingTimeout is not misjudged", async () => {
    await using scene = await openScene();
    await connect(scene.url);
    await page.evaluate((ms) => block(ms), 3 * TIMEOUT);
    await assertAlive(page);
    await new Promise((resolve) => setTimeout(resolve, INTERVAL + TIMEOUT));
    await assertAlive(page);
  });

  test("I3: throttled timers, as in a hidden tab, cause no false verdict, and a dead network is still detected", async () => {
    await using scene = await openScene();
    page = await browser.context.newPage();
    // In hidden pages, browsers fire timers once a second, later once a minute. Here they fire every 1.5 s.
    await page.addInitScript(() => {
      const setTimer = globalThis.setTimeout.bind(globalThis) as (
        callback: () => void,
        delay: number,
      ) => number;
      const slow = (callback: () => void, delay = 0): number => {
        const due = Math.ceil((performance.now() + delay) / 1500) * 1500;
        return setTimer(callback, due - performance.now());
      };
      globalThis.slowDown = () => Object.assign(globalThis, { setTimeout: slow });
      globalThis.speedUp = () => Object.assign(globalThis, { setTimeout: setTimer });
    });
    await page.goto(`${browser.origin}/`);
    await page.waitForFunction("globalThis.holdfast !== undefined");
    await page.evaluate(
      async ([url, pingInterval, pingTimeout]) => {
        slowDown();
        const connection = await holdfast.connect(url, { pingInterval, pingTimeout });
        globalThis.kept = { connection };
      },
      [scene.url, INTERVAL, TIMEOUT] as const,
    );
    await new Promise((resolve) => setTimeout(resolve, 4500));
    await assertAlive(page);
    scene.proxy.freeze();
    await new Promise((resolve) => setTimeout(resolve, 100));
    // The page is shown again: it sends a probe at once, and the verdict follows.
    const took = await page.evaluate(async () => {
      speedUp();
      const from = performance.now();
      document.dispatchEvent(new Event("visibilitychange"));
      const { cause } = await (kept["connection"] as Connection).closed;
      return { cause, ms: performance.now() - from };
    });
    assert.equal(took.cause, "heartbeat-timeout");
    // A timer that was set while timers were slow may still have to fire first.
    assert(took.ms <= 1500 + INTERVAL + TIMEOUT + MARGIN, `${took.ms} ms`);
  });

  test("I3, F9: a page that is shown again probes at once, and ends a backoff wait", async () => {
    await using scene = await openScene();
    page = tab = await browser.openPage(tab);
    await page.evaluate(async (url) => {
      const connection = await holdfast.connect(url, { pingInterval: 60_000 });
      while (connection.latencyStats.answered < 1) await new Promise((resolve) => setTimeout(resolve, 10));
      globalThis.kept = { connection };
    }, scene.url);
    // The library does not send a probe right after another ping.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    for (const type of ["pageshow", "online"]) {
      const answered = await page.evaluate(async (name) => {
        const connection = kept["connection"] as Connection;
        const count = connection.latencyStats.answered;
        globalThis.dispatchEvent(new Event(name));
        while (connection.latencyStats.answered === count)
          await new Promise((resolve) => setTimeout(resolve, 10));
        // Longer than the second after a ping in which there is no probe.
        await new Promise((resolve) => setTimeout(resolve, 1_200));
        return connection.latencyStats.answered - count;
      }, type);
      assert.equal(answered, 1, type);
    }
    const waited = await page.evaluate(async (url) => {
      const client = new holdfast.Client(url.replace(/\d+\/$/, "1/"), { pollInterval: null });
      let from = 0;
      for await (const event of holdfast.persist(client, { minDelay: 30_000, firstDelay: 60_000 })) {
        if (event.type === "connecting" && from > 0) break;
        if (event.type !== "backOff") continue;
        from = performance.now();
        setTimeout(() => globalThis.dispatchEvent(new Event("online")), 100);
      }
      return performance.now() - from;
    }, scene.url);
    assert(waited < 20_000, `${waited} ms`);
  });
});
