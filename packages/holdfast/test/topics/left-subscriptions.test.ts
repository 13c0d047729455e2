// A connection that lives for months subscribes and leaves again and again.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, test } from "node:test";
import { connect, connectPersistent, serve, type PersistentConnection } from "../../build/index.js";
import { createTopics, publish, subscribe } from "../../build/topics.js";
import { usedMemory } from "../connection/memory.js";

const COUNT = 2_000;

describe("Subscriptions that were left", () => {
  for (const [name, open] of [
    ["a connection", (url: string) => connect(url, { linkProtocol: true })],
    ["a persistent connection", openPersistent],
  ] as const) {
    test(`M7 E6: leave nothing with ${name}, however many they were`, async (t) => {
      await using topics = createTopics();
      await using server = await serve((connection) => {
        topics.open(connection, { authorize: () => true, publish: () => true });
        return connection.closed;
      });
      const link = await open(server.url);
      t.after(() => link.terminate());
      const subscribeAndLeave = async (count: number): Promise<void> => {
        for (let run = 0; run < count; run++) {
          const events = subscribe(link, "news");
          const next = events.next();
          await publish(link, "news", "x");
          assert.equal((await next).done, false);
          await events.return?.();
        }
      };
      await subscribeAndLeave(500);
      const before = await usedMemory();
      await subscribeAndLeave(COUNT);
      const grown = (await usedMemory()) - before;
      assert.ok(grown < COUNT * 500, `${Math.round(grown / COUNT)} bytes each`);
      assert.ok(getEventListeners(link.signal, "abort").length <= 1);
      await link.close();
    });
  }
});

async function openPersistent(url: string): Promise<PersistentConnection> {
  const persistent = connectPersistent(url, { linkProtocol: true });
  await new Promise((resolve) => persistent.on("open", resolve));
  return persistent;
}
