// Three processes, clients that reconnect to any of them, and connections that are cut all the time.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connectPersistent, serve } from "../../build/index.js";
import { createTopics, memoryEngine, subscribe, type TopicEvent } from "../../build/topics.js";
import { eventually } from "holdfast-testkit";

const PROCESSES = 3;
const CLIENTS = 40;
const TOPICS = ["a", "b c", "d"];
const MESSAGES = 600;

test("M2, M7: while connections are cut at random, each client gets each message once and in order, or a gap", async (t) => {
  const engine = memoryEngine();
  // Some clients are away for longer than this reaches back.
  const history = { messages: 120, age: 60_000 };
  const processes = await Promise.all(
    Array.from({ length: PROCESSES }, async () => {
      const topics = createTopics({ engine, history });
      const server = await serve(async (connection) => {
        topics.open(connection, { authorize: () => true });
        await connection.closed;
      });
      return { topics, server };
    }),
  );
  const start = new Map<string, { epoch: string; offset: number }>();
  for (const topic of TOPICS) {
    const { epoch, offset } = await processes[0].topics.publish(topic, "start");
    start.set(topic, { epoch: epoch ?? "", offset: offset ?? 0 });
  }
  let attempts = 0;
  const clients = Array.from({ length: CLIENTS }, (_, index) => {
    const link = connectPersistent(() => processes[attempts++ % PROCESSES].server.url, {
      linkProtocol: true,
      firstDelay: 5,
      maxDelay: index % 4 === 0 ? 400 : 10,
      pingInterval: null,
    });
    const feeds = TOPICS.map((topic) => {
      const events: TopicEvent[] = [];
      const reading = (async () => {
        for await (const event of subscribe(link, topic, { since: start.get(topic) })) events.push(event);
      })();
      reading.catch(() => undefined); // The test ends by terminating all.
      return { topic, events };
    });
    return { link, feeds };
  });
  t.after(async () => {
    for (const { link } of clients) link.terminate();
    for (const { server, topics } of processes) {
      await server.close({ timeout: 100 });
      await topics.close();
    }
    await engine[Symbol.asyncDispose]();
  });
  await eventually(() => clients.every(({ link }) => link.status.state === "open"), "all clients");

  const published = new Map<string, string>();
  for (let index = 1; index <= MESSAGES; index++) {
    for (const topic of TOPICS) {
      const publishing = processes[index % PROCESSES].topics.publish(topic, `${index}`);
      void publishing.then(({ offset }) => published.set(`${topic} ${offset}`, `${index}`));
    }
    if (index % 10 === 0) {
      const { server } = processes[(index / 10) % PROCESSES];
      for (const connection of server.connections) if (Math.random() < 0.3) connection.terminate();
      await sleep(5);
    }
  }
  const isComplete = ({ events }: { events: TopicEvent[] }): boolean => {
    const last = events.at(-1);
    return last?.type === "message" && last.offset === MESSAGES + 1;
  };
  await eventually(
    () => clients.every(({ feeds }) => feeds.every(isComplete)),
    "the last message everywhere",
  );

  let gaps = 0;
  for (const { feeds } of clients) {
    for (const { topic, events } of feeds) {
      let offset = 1;
      for (const event of events) {
        if (event.type === "gap") {
          gaps++;
          assert.equal(event.after?.offset, offset);
          assert.ok((event.position?.offset ?? 0) > offset);
          offset = event.position?.offset ?? 0;
        } else {
          assert.equal(event.offset, ++offset);
          assert.deepEqual([event.topic, event.data], [topic, published.get(`${topic} ${offset}`)]);
        }
      }
    }
  }
  t.diagnostic(`${attempts} connections for ${CLIENTS} clients, ${gaps} gaps`);
});
