// Cuts the link of a page's session at random bytes, in both directions, while both ends send.

import { setTimeout as sleep } from "node:timers/promises";
import { SeededRandom, type FaultProxy } from "holdfast-testkit";
import type { Page } from "playwright-core";
import type { SessionScene } from "./session-scene.js";
import { nextStream, startStream, stopStreams, type StreamResult } from "./streams.js";

export interface CutReport extends StreamResult {
  readonly cuts: number;
  readonly seconds: number;
  /** Sessions that began. More than one means that a session was lost. */
  readonly sessions: number;
  /** The cuts that hit an attached session; the others hit handshakes. */
  readonly resumed: number;
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
  await startStream(page, scene.url);
  const atServer = await nextStream(scene, 1);
  await cut(scene.proxy, cuts, new SeededRandom(seed));
  scene.proxy.callOffCut();
  const result = await stopStreams(page, atServer);
  const seconds = (performance.now() - from) / 1000;
  const resumed = result.events.filter((name) => name === "resumed").length;
  return { cuts, seconds, sessions: scene.streams.length, resumed, ...result };
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
    await sleep(1); // The first bytes of a connection come later.
  }
}
