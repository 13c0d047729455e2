// Starts the streams of a page and of its session at the server, and compares what each sent with what the other got.

import assert from "node:assert/strict";
import { eventually, withTimeout } from "holdfast-testkit";
import type { ConnectPersistentOptions } from "holdfast/browser";
import type { Page } from "playwright-core";
import "../browser/page-globals.js";
import { NO_FAULTS, type Faults } from "./counted.js";
import type * as pageStreams from "./page-stream.js";
import type { PageStream } from "./page-stream.js";
import type { ServerStream, SessionScene } from "./session-scene.js";

type PageStreamModule = typeof pageStreams;

export interface StreamResult {
  readonly toServer: { readonly sent: number } & Faults;
  readonly toPage: { readonly sent: number } & Faults;
  /** The events of the session in the page. */
  readonly events: readonly string[];
}

interface StreamOptions extends Pick<ConnectPersistentOptions, "detection" | "pingInterval" | "pingTimeout"> {
  readonly subprotocols?: readonly string[];
  readonly keep?: boolean;
}

/** Starts the page's stream, as `kept.stream`. With `keep`, it survives a reload. */
export async function startStream(
  page: Page,
  url: string,
  { keep = false, ...options }: StreamOptions = {},
): Promise<void> {
  await page.evaluate(
    async ([to, keeps, given]) => {
      const path = "/checks/sessions/page-stream.js"; // Served beside the page.
      const { PageStream } = (await import(path)) as PageStreamModule;
      const session = keeps ? { keep: holdfast.sessionStorageKeep() } : true;
      const stream = new PageStream(holdfast.connectPersistent, to, { session, ...given });
      if (keeps) stream.continueFrom("stream");
      globalThis.kept = { stream };
      stream.start();
    },
    [url, keep, options] as const,
  );
}

/** The server's end of a session, once messages arrive there. It starts to send. */
export async function nextStream(scene: SessionScene, count: number): Promise<ServerStream> {
  await eventually(() => (scene.streams[count - 1]?.tally.count ?? 0) > 0, `session ${count}`, 30_000);
  const stream = scene.streams[count - 1];
  assert(stream !== undefined);
  stream.start();
  return stream;
}

/** Waits until both ends have received messages after this call. */
export async function bothProgress(page: Page, atServer: ServerStream, count = 50): Promise<void> {
  const target = atServer.tally.count + count;
  const inPage = await page.evaluate(async (more) => {
    const { tally, connection, events, sent } = kept["stream"] as PageStream;
    const deadline = performance.now() + 30_000;
    for (const wanted = tally.count + more; tally.count < wanted;) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      const { status, session, queued } = connection;
      if (performance.now() > deadline) return JSON.stringify({ status, session, queued, events, sent });
    }
    return "";
  }, count);
  assert.equal(inPage, "", `The page gets no messages. ${atServer.describe()}`);
  await eventually(() => atServer.tally.count >= target, "messages of the page", 30_000);
}

export async function stopStreams(page: Page, atServer: ServerStream): Promise<StreamResult> {
  const stopped = Promise.all([atServer.stop(), page.evaluate(() => (kept["stream"] as PageStream).stop())]);
  const [toPage, sentByPage] = await withTimeout(stopped, 30_000, "both ends to confirm").catch(
    (cause: unknown) => {
      throw new Error(`Expected both ends to stop. ${atServer.describe()}`, { cause });
    },
  );
  await eventually(() => atServer.tally.count >= sentByPage, "all messages of the page", 30_000).catch(
    () => undefined, // The tally says what is missing.
  );
  const { faults, events } = await page.evaluate((sent) => {
    const stream = kept["stream"] as PageStream;
    return { faults: stream.faults(sent), events: stream.events };
  }, toPage);
  return {
    toServer: { sent: sentByPage, ...atServer.tally.faults(sentByPage) },
    toPage: { sent: toPage, ...faults },
    events,
  };
}

/** Stops both, and asserts that every message arrived once and in order. Returns the page's events. */
export async function assertExactlyOnce(page: Page, atServer: ServerStream): Promise<readonly string[]> {
  const { toServer, toPage, events } = await stopStreams(page, atServer);
  assert.deepEqual(
    [toServer, toPage],
    [
      { sent: toServer.sent, ...NO_FAULTS },
      { sent: toPage.sent, ...NO_FAULTS },
    ],
  );
  return events;
}

/** Waits for an event of the page's session. */
export async function sees(page: Page, event: string, count = 1): Promise<void> {
  await page.waitForFunction(
    ([name, wanted]) =>
      (kept["stream"] as PageStream).events.filter((each) => each === name).length >= wanted,
    [event, count] as const,
    { polling: 50, timeout: 30_000 },
  );
}
