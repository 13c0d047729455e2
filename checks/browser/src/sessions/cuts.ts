// Cuts the link of a page's session at random bytes, in both directions, while both ends send.

import { SeededRandom, eventually, type FaultProxy } from "holdfast-testkit";
import type { Page } from "playwright-core";
import "../browser/page-globals.js";
import type { Faults } from "./counted.js";
import type { PageStream } from "./page-stream.js";
import type { SessionScene } from "./session-scene.js";

export interface CutReport {
  readonly cuts: number;
  readonly seconds: number;
  /** Sessions that began. More than one means that a session was lost. */
  readonly sessions: number;
  /** The cuts that hit an attached session; the others hit handshakes. */
  readonly resumed: number;
  readonly toServer: { readonly sent: number } & Faults;
  readonly toPage: { readonly sent: number } & Faults;
  /** Events of the page other than `detached` and `resumed`. */
  readonly events: readonly string[];
}

/** The longest part of a connection that is forwarded before the cut, in bytes. */
const LONGEST = 8_000;
/** The handshake and the first words of the session are within so many bytes. One cut of four is there. */
const FIRST = 800;

export async function cutAtRandomBytes(
  page: Page,
  scene: SessionScene,
  { cuts, seed }: { readonly cuts: number; readonly seed: number },
): Promise<CutReport> {
  const from = performance.now();
  await page.evaluate(async (url) => {
    const { PageStream } = (await import("/checks/sessions/page-stream.js" as string)) as {
      PageStream: new (...parameters: ConstructorParameters<typeof import("./page-stream.js").PageStream>) => PageStream;
    };
    const stream = new PageStream(holdfast.connectPersistent, url, {});
    globalThis.kept = { stream };
    stream.start();
  }, scene.url);
  await eventually(() => scene.streams.length === 1, "the session", 10_000);
  const [atServer] = scene.streams;
  if (atServer === undefined) throw new Error("Expected a session");
  atServer.start();
  await eventually(() => atServer.tally.count > 0, "the first message", 10_000);
  await cut(scene.proxy, cuts, new SeededRandom(seed));
  scene.proxy.callOffCut();

  const sentByServer = atServer.stop();
  const sentByPage = await page.evaluate(() => (kept["stream"] as PageStream).stop());
  const toPageSent = await sentByServer;
  await eventually(() => atServer.tally.count >= sentByPage, "the page's messages", 10_000).catch(() => undefined);
  const inPage = await page.evaluate((sent) => {
    const { tally, events, connection } = kept["stream"] as PageStream;
    const report = { faults: tally.faults(sent), events };
    connection.terminate();
    return report;
  }, toPageSent);
  return {
    cuts,
    seconds: (performance.now() - from) / 1000,
    sessions: scene.streams.length,
    resumed: inPage.events.filter((name) => name === "resumed").length,
    toServer: { sent: sentByPage, ...atServer.tally.faults(sentByPage) },
    toPage: { sent: toPageSent, ...inPage.faults },
    events: inPage.events.filter((name) => name !== "resumed" && name !== "detached"),
  };
}

/** Cuts each connection once, at a random byte of a random direction. */
async function cut(proxy: FaultProxy, cuts: number, random: SeededRandom): Promise<void> {
  const first = proxy.accepted;
  for (let number = 0; number < cuts; number++) {
    proxy.callOffCut();
    const bytes = random.integer(1, random.number() < 0.25 ? FIRST : LONGEST);
    const direction = random.number() < 0.5 ? "toServer" : "toClient";
    proxy.cut({ kind: random.number() < 0.5 ? "rst" : "fin", after: { direction, bytes } });
    await until(() => proxy.accepted > first + number);
  }
}

async function until(isDone: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 30_000; !isDone();) {
    if (performance.now() > deadline) throw new Error("Expected the page to connect again within 30 s");
    await new Promise((resolve) => setImmediate(resolve));
  }
}
