// Persistent connections of pages while the page loads their code.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { PersistentConnection } from "holdfast/browser";
import { eventually } from "holdfast-testkit";
import type { Page, Route } from "playwright-core";
import { Browser, skip } from "./browser/chromium.js";
import { openScene } from "./browser/scene.js";
import "./browser/page-globals.js";

/** Holds back the code that a page requests from now on. */
async function holdCode(page: Page): Promise<{ readonly requests: Route[]; release(): Promise<void> }> {
  const requests: Route[] = [];
  let isHeld = true;
  await page.route("**/holdfast/*.js", async (route) => {
    if (isHeld) requests.push(route);
    else await route.continue();
  });
  return {
    requests,
    async release() {
      isHeld = false;
      await Promise.all(requests.splice(0).map((route) => route.continue()));
    },
  };
}

describe(
  "A page in Chromium that loads the code of persistent connections",
  { skip, timeout: 300_000 },
  () => {
    let browser: Browser;

    before(async () => {
      browser = await Browser.start();
    });
    after(() => browser[Symbol.asyncDispose]());

    for (const session of [false, true]) {
      test(`I1, L1: with session: ${session}, the WebSocket opens meanwhile, and no message is lost`, async () => {
        await using scene = await openScene({ sessions: true });
        const page = await browser.openPage();
        const code = await holdCode(page);
        await page.evaluate(
          ([url, withSession]) => {
            const connection = holdfast.connectPersistent(url, { session: withSession });
            const received: unknown[] = [];
            const events: string[] = [];
            connection.on("status", ({ state }) => events.push(state));
            void connection.send("first");
            void connection.forEach((message) => received.push(message));
            globalThis.kept = { connection, received, events };
          },
          [scene.url, session] as const,
        );
        // With a session, the server's connection begins once the page asks for the session.
        await eventually(
          () => (session ? scene.proxy.accepted : scene.connections.length) === 1,
          "a WebSocket",
        );
        await eventually(() => code.requests.length > 0, "the request of the code");
        await scene.connections[0]?.send("before the code");
        await code.release();
        const expected = session ? ["first"] : ["before the code", "first"];
        await page.waitForFunction(
          (count) => (kept["received"] as unknown[]).length === count,
          expected.length,
        );
        const seen = await page.evaluate(() => [kept["received"], kept["events"]]);
        assert.deepEqual(seen, [expected, ["open"]]);
        assert.equal(scene.proxy.accepted, 1);
        // The code is there now: the next one begins at once.
        const state = await page.evaluate(async (url) => {
          const connection = holdfast.connectPersistent(url);
          await connection.send("second");
          const { status } = connection;
          connection.terminate();
          return status.state;
        }, scene.url);
        assert.equal(state, "open");
      });
    }

    test("I1, F6: close() meanwhile closes the WebSocket, and nothing connects later", async () => {
      await using scene = await openScene();
      const page = await browser.openPage();
      const code = await holdCode(page);
      await page.evaluate(
        (url) => (globalThis.kept = { connection: holdfast.connectPersistent(url) }),
        scene.url,
      );
      await eventually(() => scene.connections.length === 1, "the connection of the page");
      const ended = await page.evaluate(async () => {
        const connection = kept["connection"] as PersistentConnection;
        const { cause } = await connection.close();
        return [cause, connection.status.state];
      });
      assert.deepEqual(ended, ["aborted", "closed"]);
      await scene.connections[0]?.closed;
      await code.release();
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
      assert.equal(scene.connections.length, 1);
    });

    test("I1, F9: code that cannot be loaded at first is loaded later, and what was sent meanwhile arrives", async () => {
      await using scene = await openScene();
      const page = await browser.openPage();
      let failures = 0;
      await page.route("**/holdfast/*.js", async (route) => {
        if (failures++ < 2) await route.abort("internetdisconnected");
        else await route.continue();
      });
      const received = await page.evaluate(async (url) => {
        const connection = holdfast.connectPersistent(url, { firstDelay: 100, maxDelay: 200 });
        await connection.send("patient");
        const message = await connection.recv();
        connection.terminate();
        return message;
      }, scene.url);
      assert.equal(received, "patient");
      assert(failures > 2);
    });
  },
);
