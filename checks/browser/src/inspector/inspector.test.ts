// The inspector's page, as operators and screen readers perceive it.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connect, type Connection } from "holdfast";
import { eventually, FaultProxy, slowness } from "holdfast-testkit";
import { assertAccessible as assertPageAccessible, type Look } from "../browser/accessibility.js";
import { skip } from "../browser/chromium.js";
import { Inspected } from "./inspected.js";

/** HOLDFAST_CROWD=10000 takes half a minute more. */
const CROWD = Number(process.env["HOLDFAST_CROWD"] ?? 300);
const HOSTILE = `<img src=x onerror="globalThis.hit=1">`;

describe("The inspector's page", { skip, timeout: 300_000 }, () => {
  let scene: Inspected;
  const clients: Connection[] = [];

  before(async () => {
    scene = await Inspected.open(
      { actions: true, payloads: "text" },
      { pingInterval: 500, pingTimeout: 120_000, closeTimeout: 1_000 },
    );
    await scene.show();
  });
  after(async () => {
    for (const client of clients) client.terminate();
    await scene[Symbol.asyncDispose]();
  });

  const url = (path: string) => `ws://127.0.0.1:${scene.server.port}${path}`;
  const rows = () => scene.page.locator("tbody tr");
  const tile = (name: string) => scene.page.locator(".tile", { hasText: name }).locator(".value");
  const press = (name: string) => scene.page.getByRole("button", { name, exact: true }).click();

  test("P1: without connections, the page says so", async () => {
    await scene.page.getByText("Nobody is connected.").waitFor();
    await press("Endings");
    await scene.page.getByText("No connection has ended since").waitFor();
    await press("Connections");
    assert.equal(await scene.page.locator("#viewer").textContent(), "as ada");
    await assertAccessible(scene);
  });

  test("P1: hostile paths, close reasons and frames are shown as text", async () => {
    const client = await connect(url(`/${encodeURIComponent(HOSTILE)}`));
    clients.push(client);
    await rows().first().waitFor();
    await rows().first().locator("button").click();
    await press("Watch frames for 30 s");
    await scene.page.getByText(/Watching frames/).waitFor();
    await client.send(HOSTILE);
    await scene.page.locator(".frames li", { hasText: HOSTILE }).waitFor();
    await assertAccessible(scene);
    await press("Close panel");
    await client.close(4000, HOSTILE);
    await press("Endings");
    await scene.page.locator("td", { hasText: `4000 ${HOSTILE}` }).waitFor();
    await rows().first().locator("button").click();
    await scene.page.locator(".explanation", { hasText: "4000" }).waitFor();
    await assertAccessible(scene);
    await press("Close panel");
    await press("Connections");
    assert.equal(await scene.page.evaluate("globalThis.hit"), undefined);
    assert.equal(await scene.page.locator("img").count(), 0);
  });

  test(`P1: ${CROWD} connections are counted, filtered, sorted and turned over a page at a time`, async () => {
    await scene.crowd(CROWD, CROWD / 10);
    await eventually(() => scene.server.connections.size === CROWD, "the crowd");
    const whole = new Intl.NumberFormat("en").format(CROWD);
    await scene.page.getByText(`1–100 of ${whole}`).waitFor();
    assert.equal(await tile("Connections").textContent(), whole);
    assert.equal(await rows().count(), 100);
    await press("Next page");
    await scene.page.getByText(`101–200 of ${whole}`).waitFor();
    await scene.page.keyboard.press("/");
    await scene.page.keyboard.type("/presence");
    await scene.page.getByText(`of ${new Intl.NumberFormat("en").format(CROWD / 4)}`).waitFor();
    assert.equal(await scene.page.getByText("secret").count(), 0);
    await scene.page.keyboard.press("Control+a");
    await scene.page.keyboard.type("no such thing");
    await scene.page.getByText("Nothing matches the filter.").waitFor();
    await scene.page.keyboard.press("Control+a");
    await scene.page.keyboard.press("Delete");
    await scene.page.getByText(`1–100 of ${whole}`).waitFor();
    const age = scene.page.getByRole("columnheader", { name: "Age" });
    await age.getByRole("button").click();
    await scene.page.locator('th[aria-sort="descending"]', { hasText: "Age" }).waitFor();
    await age.getByRole("button").press("Enter");
    await scene.page.locator('th[aria-sort="ascending"]', { hasText: "Age" }).waitFor();
    await scene.page.getByRole("columnheader", { name: "State" }).getByRole("button").click();
    await assertAccessible(scene);
  });

  test("P1: one in trouble comes first, and the page says why", async () => {
    await using proxy = await FaultProxy.start({ target: { port: scene.server.port } });
    const frozen = await connect(`${proxy.url("ws")}frozen`, { pingInterval: null });
    frozen.discard();
    clients.push(frozen);
    await eventually(
      () => [...scene.server.connections].every(({ latency }) => latency !== null),
      "the first pongs",
    );
    proxy.freeze();
    const row = rows().filter({ hasText: "/frozen" }).filter({ hasText: "no pong for" });
    await row.waitFor({ timeout: 60_000 });
    await scene.page.getByRole("combobox").selectOption("In trouble");
    await scene.page.waitForFunction(
      () => document.querySelector("tbody tr")?.textContent.includes("/frozen") === true,
    );
    assert.equal(await rows().first().getAttribute("class"), "bad");
    await assertAccessible(scene, LOOKS);
    frozen.terminate();
    await scene.page.getByRole("combobox").selectOption("All connections");
  });

  test("P1: the focus stays on its row while rows are sorted anew, and Enter opens it", async () => {
    const button = rows().nth(3).locator("button");
    await button.focus();
    // Rows may have moved since the button was found.
    const name = await scene.page.evaluate(() => document.activeElement?.textContent ?? "");
    await scene.page.waitForTimeout(2_500);
    assert.equal(await scene.page.evaluate(() => document.activeElement?.textContent), name);
    await scene.page.keyboard.press("Enter");
    await scene.page.getByRole("heading", { name }).waitFor();
    await scene.page.keyboard.press("Escape");
    assert.equal(await scene.page.evaluate(() => document.activeElement?.textContent), name);
  });

  test("P1: Enter held on a button stays within the server's limit of requests", async () => {
    const age = scene.page.getByRole("columnheader", { name: "Age" }).getByRole("button");
    await age.focus();
    for (let presses = 0; presses < 45; presses++) await scene.page.keyboard.press("Enter");
    await scene.page.waitForTimeout(500);
    await scene.page.getByText("Live", { exact: true }).waitFor({ timeout: 900 * slowness() });
  });

  test("P2: terminating asks first, and then ends the connection", async () => {
    const { size } = scene.server.connections;
    await rows().first().locator("button").click();
    await press("Terminate");
    assert.equal(scene.server.connections.size, size);
    await press("Terminate: press again");
    await eventually(() => scene.server.connections.size === size - 1, "the end");
    await press("Close panel");
  });

  test("P3: a paused page asks for nothing", async () => {
    await press("Pause");
    await scene.page.waitForTimeout(300);
    const requests: unknown[] = [];
    const session = await scene.browser.context.newCDPSession(scene.page);
    await session.send("Network.enable");
    session.on("Network.webSocketFrameSent", (frame) => {
      if (frame.response.opcode === 1) requests.push(frame);
    });
    await scene.page.waitForTimeout(2_500);
    assert.deepEqual(requests, []);
    await press("Pause");
    await eventually(() => requests.length > 0, "the next request");
  });

  test("P1: a network that fails silently is reported, instead of old figures as live ones", async () => {
    await using proxy = await FaultProxy.start({ target: { port: scene.server.port } });
    const page = await scene.browser.context.newPage();
    await page.clock.install();
    await page.goto(proxy.url("http", "/holdfast"));
    await page.getByText("Live", { exact: true }).waitFor();
    proxy.freeze();
    await page.clock.runFor(1_200); // The next request has no answer.
    await page.clock.runFor(16_000);
    await page.getByText("No stream (1006: no answer within 15 s). Next attempt in 1 s").waitFor();
    proxy.heal();
    await page.clock.runFor(1_200);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.close();
  });

  test("P1: the page had no error, and its policy blocked nothing", () => assert.deepEqual(scene.errors, []));
});

/** Colours depend on the theme, and the layout on the width: two of the four combinations contain all of both. */
const LOOKS: readonly Look[] = [
  ["light", 1280],
  ["dark", 390],
  ["light", 390],
  ["dark", 1280],
];

async function assertAccessible(scene: Inspected, looks: readonly Look[] = LOOKS.slice(0, 2)): Promise<void> {
  await assertPageAccessible(scene, looks);
  await scene.look("light", 1280);
}
