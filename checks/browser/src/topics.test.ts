// Topics in a page: subscribe() over the browser's WebSocket, across connections.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { serve } from "holdfast";
import type * as browserTopics from "holdfast/topics";
import { createTopics } from "holdfast/topics";
import { eventually } from "holdfast-testkit";
import { Browser, skip } from "./browser/chromium.js";
import "./browser/page-globals.js";

describe("Topics in Chromium", { skip, timeout: 300_000 }, () => {
  let browser: Browser;
  before(async () => {
    browser = await Browser.start();
  });
  after(() => browser[Symbol.asyncDispose]());

  test("M7: a page subscribes, reads text and bytes, and continues after a reconnect from its own position", async () => {
    const page = await browser.openPage();
    const topics = createTopics({ history: true });
    const server = await serve(
      async (connection) => {
        topics.open(connection, { authorize: () => true });
        await connection.closed;
      },
      { origins: "any" },
    );
    const { epoch } = await topics.publish("a b", "start");
    const reading = page.evaluate(
      async ([url, since]) => {
        const path = "/holdfast/browser-topics.js"; // Served beside the page.
        const { subscribe } = (await import(path)) as typeof browserTopics;
        const link = holdfast.connectPersistent(url, { firstDelay: 10, maxDelay: 20 });
        const events: string[] = [];
        for await (const event of subscribe(link, "a b", { since })) {
          events.push(event.type === "gap" ? "gap" : `${event.offset} ${event.data.toString()}`);
          if (events.length === 4) break;
        }
        link.terminate();
        return events;
      },
      [server.url, { epoch: epoch ?? "", offset: 1 }] as const,
    );
    await eventually(() => server.connections.size === 1, "the page");
    await topics.publish("a b", "one");
    await topics.publish("a b", Uint8Array.of(1, 2));
    for (const connection of server.connections) connection.terminate();
    await topics.publish("a b", "while away");
    await eventually(() => server.connections.size === 1, "the page again");
    await topics.publish("a b", "back");
    assert.deepEqual(await reading, ["2 one", "3 1,2", "4 while away", "5 back"]);
    await server.close();
    await topics.close();
  });
});
