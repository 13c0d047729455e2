// The page of `npm start -- web`, as users and screen readers perceive it.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertAccessible, type Look } from "../browser/accessibility.js";
import { skip } from "../browser/chromium.js";
import { DemoPage } from "./demo-page.js";

const LOOKS = [
  ["light", 360],
  ["light", 1100],
  ["dark", 360],
  ["dark", 1100],
] as const satisfies readonly Look[];

describe("npm start -- web", { skip, timeout: 300_000 }, () => {
  let demo: DemoPage;

  before(async () => {
    demo = await DemoPage.open();
  });
  after(() => demo[Symbol.asyncDispose]());

  test("Demo: latency samples arrive, and all three clients receive the same numbers", async () => {
    await demo.hasSamples(2);
    await demo.shows({ "holdfast-state": "ALIVE", "partysocket-state": "OPEN", "bare-state": "OPEN" });
    await demo.page.waitForFunction(() => Number(document.getElementById("bare-received")?.textContent) > 5);
    for (const { missed, repeated } of Object.values((await demo.comparison()).clients))
      assert.deepEqual({ missed, repeated }, { missed: 0, repeated: 0 });
  });

  test("Demo: the code of each client is the module that the page runs", async () => {
    for (const [id, call] of [
      ["holdfast", "connectPersistent(url, {"],
      ["partysocket", "new ReconnectingWebSocket(url"],
      ["bare", "new WebSocket(url)"],
    ] as const) {
      assert.ok((await demo.textOf(`${id}-code`)).includes(call), `The code of ${id} has no ${call}`);
    }
  });

  test("Demo: a frozen link is dead for Holdfast within interval and timeout, and OPEN for the other clients", async () => {
    const start = performance.now();
    await demo.press("Freeze");
    await demo.shows({
      "verdict-text": "heartbeat-timeout",
      "partysocket-state": "OPEN",
      "bare-state": "OPEN",
    });
    const took = performance.now() - start;
    assert(took < 20_000, `It took ${took} ms`);
    assert.match(await demo.textOf("verdict-text"), /did not answer a ping within 2 s/);
    assert.equal(await demo.textOf("holdfast-state"), "DEAD");
    const silent = "and it does not report that";
    await demo.shows({ "partysocket-detail": silent, "bare-detail": silent });
    assert.equal(await demo.textOf("bare-state"), "OPEN");
    await assertAccessible(demo, LOOKS);
  });

  test("Demo: when a link thaws, Holdfast reconnects automatically", async () => {
    await demo.press("Heal");
    await demo.shows({ "holdfast-state": "ALIVE", "bare-state": "OPEN" }, 20_000);
    await demo.shows({ "bare-detail": "Receives ten numbers" });
  });

  test("Demo: a slow link is slow, and not dead", async () => {
    await demo.press("Slow");
    await demo.page.waitForFunction(() => {
      const last = document.querySelector("#statistics dd")?.textContent ?? "";
      return Number.parseFloat(last) >= 1_400;
    });
    const { caption, newest, median } = await demo.latency();
    assert.equal(caption, `The last minute. Newest round trip ${newest}, median of all ${median}.`);
    assert.equal(await demo.textOf("bare-state"), "OPEN");
    await demo.press("Heal");
  });

  test("Demo: a cut ends all connections, and the bare WebSocket stays closed", async () => {
    await demo.press("Cut");
    await demo.page.waitForFunction(
      () => document.getElementById("verdict-text")?.textContent.includes("heartbeat-timeout") === false,
    );
    await demo.shows(
      { "bare-state": "CLOSED", "partysocket-state": "OPEN", "holdfast-state": "ALIVE" },
      20_000,
    );
    // Browsers do not always distinguish a reset from an orderly end.
    assert.match(await demo.textOf("verdict-text"), /^(eof|reset)/);
    assert.match(await demo.textOf("log"), /Holdfast: disconnected: (eof|reset)/);
    await assertAccessible(demo, [LOOKS[0], LOOKS[3]]); // Both themes and both widths.
    await demo.page.getByRole("button", { name: "Open it again" }).click();
    await demo.shows({ "bare-state": "OPEN" });
  });

  test("L1: after all this Holdfast has each number once, and the clients without a session miss some; the tiles and the caption agree", async () => {
    // All of them have caught up.
    await demo.page.waitForFunction(() =>
      ["holdfast", "partysocket", "bare"].every(
        (id) => Number(document.getElementById(`${id}-to-come`)?.textContent) < 10,
      ),
    );
    const { clients, caption } = await demo.comparison();
    const { holdfast, partysocket, bare } = clients;
    assert.deepEqual({ missed: holdfast.missed, repeated: holdfast.repeated }, { missed: 0, repeated: 0 });
    assert.ok(partysocket.missed > 0, "partysocket has missed nothing");
    // It was closed for longer, until the button opened it.
    assert.ok(bare.missed >= partysocket.missed, JSON.stringify(clients));
    const totals = Object.values(clients).map(({ received, toCome, missed }) => received + toCome + missed);
    const [total] = totals;
    assert.deepEqual(totals, [total, total, total]);
    assert.equal(
      caption,
      `Of ${total} numbers, Holdfast missed 0, partysocket missed ${partysocket.missed} and the bare WebSocket missed ${bare.missed}.`,
    );
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
