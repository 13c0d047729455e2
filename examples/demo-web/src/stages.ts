// A separate network for each open page: visitors do not notice each other's faults.

import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { FaultProxy } from "holdfast-testkit";
import type { Feed } from "./feed.js";
import { FAULTS, type Fault, type StageDescription } from "./page/stage-description.js";

/**
 * The delay of a slow link in each direction, in milliseconds; a round trip stays below the page's
 * `pingTimeout`.
 */
const SLOW = 700;

/** Milliseconds between two reports of the newest number. */
const REPORT = 250;

/** More pages than anyone opens, but not enough to do harm. */
const MAX_STAGES = 32;

interface Stage {
  readonly proxy: FaultProxy;
  readonly response: ServerResponse;
}

export class Stages {
  readonly #stages = new Map<string, Stage>();
  /** The port of the counted stream. */
  readonly #port: number;
  readonly #feed: Feed;

  constructor(port: number, feed: Feed) {
    this.#port = port;
    this.#feed = feed;
  }

  /** Answers with an event stream that reports how far the feed has counted, and keeps the stage for as long as that stream is open. */
  async open(response: ServerResponse): Promise<void> {
    if (this.#stages.size >= MAX_STAGES) {
      response.writeHead(503, { "Content-Type": "text/plain" }).end("Too many pages are open.\n");
      return;
    }
    const proxy = await FaultProxy.start({ target: { port: this.#port } });
    if (response.destroyed) return proxy.close();
    const id = randomUUID();
    this.#stages.set(id, { proxy, response });
    const timer = setInterval(() => response.write(`event: sent\ndata: ${this.#feed.number}\n\n`), REPORT);
    response.on("close", () => {
      clearInterval(timer);
      this.#stages.delete(id);
      void proxy.close();
    });
    const description: StageDescription = { id, url: proxy.url("ws", "/counted") };
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write(`data: ${JSON.stringify(description)}\n\n`);
  }

  /** Returns false if there is no such stage. */
  apply(id: string, fault: Fault): boolean {
    const stage = this.#stages.get(id);
    if (stage === undefined) return false;
    const { proxy } = stage;
    switch (fault) {
      case "heal":
        proxy.heal();
        break;
      case "slow":
        proxy.heal();
        proxy.delay(SLOW);
        break;
      case "freeze":
        proxy.freeze();
        break;
      case "cut":
        proxy.heal();
        proxy.cut({ kind: "rst" });
        break;
    }
    return true;
  }

  async close(): Promise<void> {
    const stages = [...this.#stages.values()];
    for (const { response } of stages) response.end();
    await Promise.all(stages.map(({ proxy }) => proxy.close()));
  }
}

export function isFault(value: unknown): value is Fault {
  return (FAULTS as readonly unknown[]).includes(value);
}
