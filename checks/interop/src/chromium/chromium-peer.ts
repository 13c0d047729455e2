// Chromium as a peer: the WebSocket of a page, without any library.

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import type { Peer, Peers, Report } from "../peers/peer.js";
import { Reports } from "../peers/reports.js";
import { scriptOf } from "../programs/script-of.js";
import { playOnStandardWebSocket } from "../programs/standard-websocket.js";

export const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The name of the page's function that receives its reports. */
const REPORT = "reportToTests";

/** One browser with an empty profile on an empty local page, started on demand. */
export class ChromiumPeers implements Peers, AsyncDisposable {
  readonly #executable: string;
  #peer: Promise<ChromiumPeer> | null = null;

  constructor(executable: string) {
    this.#executable = executable;
  }

  get(): Promise<ChromiumPeer> {
    return (this.#peer ??= ChromiumPeer.start(this.#executable));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const started = await Promise.allSettled([this.#peer]);
    for (const peer of started) if (peer.status === "fulfilled") await peer.value?.[Symbol.asyncDispose]();
  }
}

interface Parts {
  readonly profile: string;
  readonly site: Server;
  readonly context: BrowserContext;
  readonly page: Page;
}

class ChromiumPeer implements Peer {
  readonly role = "client";
  readonly #parts: Parts;
  readonly #reports = new Reports("Chromium");

  static async start(executablePath: string): Promise<ChromiumPeer> {
    const profile = await mkdtemp(join(tmpdir(), "holdfast-chromium-"));
    const site = createServer((_request, response) => {
      response.setHeader("Content-Type", "text/html").end("<!doctype html><title>Holdfast</title>");
    }).listen(0, "127.0.0.1");
    await once(site, "listening");
    const context = await chromium.launchPersistentContext(profile, {
      executablePath,
      headless: true,
      args: CHROMIUM_FLAGS,
      ignoreHTTPSErrors: true, // The browser does not know the authority of the testkit's certificates.
    });
    const page = context.pages()[0] ?? (await context.newPage());
    const peer = new ChromiumPeer({ profile, site, context, page });
    page.on("console", (message) => peer.#reports.addChatter(`${message.text()}\n`));
    await page.exposeFunction(REPORT, (report: Report) => peer.#reports.add(report));
    await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`); // The server listens on TCP.
    return peer;
  }

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  get url(): string {
    throw new Error("Expected a browser to be a client, got the question where it listens");
  }

  connect(url: string): void {
    const script = scriptOf(url);
    const call = `(${playOnStandardWebSocket.toString()})(...${JSON.stringify([url, script])}, ${REPORT})`;
    this.#parts.page.evaluate(call).catch((error: unknown) => {
      this.#reports.add({ event: "failed", id: script.id, says: String(error) });
    });
  }

  report<Event extends Report["event"]>(
    event: Event,
    id: string | null = null,
  ): Promise<Extract<Report, { event: Event }>> {
    return this.#reports.next(event, id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { context, site, profile } = this.#parts;
    await context.close();
    site.close();
    site.closeAllConnections();
    await rm(profile, { recursive: true, force: true, maxRetries: 3 });
  }
}
