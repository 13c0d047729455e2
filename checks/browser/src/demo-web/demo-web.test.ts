// The page of `npm start -- web`, as users and screen readers perceive it.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertAccessible, type Look } from "../browser/accessibility.js";
import { skip } from "../browser/chromium.js";
import { DemoPage } from "./demo-page.js";

const LOOKS: readonly Look[] = [
  ["light", 360],
  ["light", 1100],
  ["dark", 360],
  ["dark", 1100],
];

describe("npm start -- web", { skip, timeout: 90_000 }, () => {
  let demo: DemoPage;

  before(async () => {
    demo = await DemoPage.open();
  });
  after(() => demo[Symbol.asyncDispose]());

  test("Demo: latency samples arrive, and both sides are open", async () => {
    await demo.hasSamples(2);
    await demo.shows({ "holdfast-state": "ALIVE", "bare-state": "OPEN" });
  });

  test("Demo: a frozen link is dead for Holdfast within interval and timeout, and OPEN for a bare WebSocket", async () => {
    const start = performance.now();
    await demo.press("Freeze");
    await demo.shows({ "verdict-text": "heartbeat-timeout", "bare-state": "OPEN" });
    const took = performance.now() - start;
    // The last ping may have been answered just before, so the verdict cannot come before the timeout.
    assert(took > 1_500 && took < 20_000, `It took ${took} ms`);
    assert.match(await demo.textOf("verdict-text"), /did not answer a ping within 2 s/);
    assert.equal(await demo.textOf("holdfast-state"), "DEAD");
    await demo.shows({ "bare-detail": "and the WebSocket does not report it" });
    assert.equal(await demo.textOf("bare-state"), "OPEN");
    await assertAccessible(demo, LOOKS);
  });

  test("Demo: when a link thaws, Holdfast reconnects automatically", async () => {
    await demo.press("Heal");
    await demo.shows({ "holdfast-state": "ALIVE", "bare-state": "OPEN" }, 20_000);
    await demo.shows({ "bare-detail": "Receives a tick" });
  });

  test("Demo: a slow link is slow, and not dead", async () => {
    await demo.press("Slow");
    await demo.page.waitForFunction(() => {
      const last = document.querySelector("#statistics dd")?.textContent ?? "";
      return Number.parseFloat(last) >= 1_400;
    });
    assert.equal(await demo.textOf("bare-state"), "OPEN");
    await demo.press("Heal");
  });

  test("Demo: a cut ends both, and only Holdfast reconnects", async () => {
    await demo.press("Cut");
    await demo.page.waitForFunction(
      () => document.getElementById("verdict-text")?.textContent.includes("heartbeat-timeout") === false,
    );
    await demo.shows({ "bare-state": "CLOSED", "holdfast-state": "ALIVE" }, 20_000);
    // Browsers do not always distinguish a reset from an orderly end.
    assert.match(await demo.textOf("verdict-text"), /^(eof|reset)/);
    assert.match(await demo.textOf("log"), /Holdfast: disconnected: (eof|reset)/);
    await assertAccessible(demo, LOOKS);
    await demo.page.getByRole("button", { name: "Open it again" }).click();
    await demo.shows({ "bare-state": "OPEN" });
  });

  test("L1: with a session, no number of the counted stream is missing or repeated after all this; without, some are", async () => {
    const numberOf = async (id: string): Promise<number> => Number(await demo.textOf(id));
    // Both have caught up.
    await demo.page.waitForFunction(() => {
      const sentTo = (name: string): number =>
        ["received", "missing"]
          .map((what) => Number(document.getElementById(`${name}-${what}`)?.textContent))
          .reduce((sum, value) => sum + value);
      return Math.abs(sentTo("session") - sentTo("plain")) <= 10;
    });
    const [received, missing, repeated] = await Promise.all(
      ["session-received", "session-missing", "session-repeated"].map(numberOf),
    );
    assert.deepEqual({ missing, repeated }, { missing: 0, repeated: 0 });
    assert.ok(received !== undefined && received > 20, `It has received ${String(received)} numbers`);
    assert.ok((await numberOf("plain-missing")) > 0, "Without a session, nothing is missing");
    assert.match(await demo.textOf("log"), /Session: detached/);
    assert.match(await demo.textOf("log"), /Session: resumed; \d+ numbers are sent again/);
    assert.doesNotMatch(await demo.textOf("log"), /Session: lost/);
  });

  test("Demo: the buttons work by keyboard, and show the current state", async () => {
    const slow = demo.page.getByRole("button", { name: "Slow", exact: true });
    await slow.focus();
    await demo.page.keyboard.press("Enter");
    await demo.shows({ "link-state": "Slow" });
    assert.equal(await slow.getAttribute("aria-pressed"), "true");
    await demo.press("Heal");
  });

  test("Demo: the page had no error", () => assert.deepEqual(demo.errors, []));
});
