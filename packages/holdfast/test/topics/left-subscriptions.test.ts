// A connection that lives for months subscribes and leaves again and again.

import assert from "node:assert/strict";
import diagnostics from "node:diagnostics_channel";
import { getEventListeners } from "node:events";
import { describe, test } from "node:test";
import { connect, connectPersistent, serve, type PersistentConnection } from "../../build/index.js";
import { createTopics, publish, subscribe } from "../../build/topics.js";
import { usedMemory } from "../connection/memory.js";
import { SessionPair } from "../transport/session/session-pair.js";
import { eventually } from "./eventually.js";

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

describe("M7, L1: with a session, a subscription that was left", () => {
  /** Counts the members of each topic, and the messages that were sent to subscribers. */
  async function open(t: { after(end: () => Promise<void>): void }) {
    const topics = createTopics();
    const pair = await SessionPair.open({
      handler: (connection) => {
        topics.open(connection, {
          authorize: async (_, topic) => {
            await topics.subscribe(connection, topic, { presence: {} });
            return true;
          },
        });
        return connection.closed;
      },
    });
    t.after(async () => {
      await pair[Symbol.asyncDispose]();
      await topics.close();
    });
    const members = async (topic: string): Promise<number> => (await topics.presence(topic)).length;
    const expectMembers = (topic: string, count: number): Promise<void> =>
      eventually(async () => assert.equal(await members(topic), count), 10_000);
    /** Enters a loop; the function leaves it. */
    const enter = async (topic: string): Promise<() => Promise<unknown>> => {
      const events = subscribe(pair.client, topic);
      void events.next();
      await eventually(async () => assert.equal(await members(topic), 1));
      return async () => events.return?.();
    };
    return { topics, pair, expectMembers, enter };
  }

  test("without a socket ends after the resumption, even if another loop was entered and left meanwhile", async (t) => {
    const { pair, expectMembers, enter } = await open(t);
    const leave = [await enter("a"), await enter("b")];
    await pair.cut();
    for (const end of leave) await end();
    const again = subscribe(pair.client, "b");
    void again.next();
    await again.return?.();
    await pair.reconnect();
    await expectMembers("a", 0);
    await expectMembers("b", 0);
    await eventually(() => assert.equal(getEventListeners(pair.client.signal, "abort").length, 0));
  });

  test("ends after the resumption if the cut has swallowed its word", async (t) => {
    const { pair, expectMembers, enter } = await open(t);
    const leave = await enter("a");
    for (const connection of pair.proxy.connections) connection.freeze("toServer");
    await leave();
    assert.equal(pair.client.connection?.state, "open");
    await pair.cut();
    await pair.reconnect();
    await expectMembers("a", 0);
  });

  test("and entered again continues, and ends as any other", async (t) => {
    const { topics, pair, expectMembers, enter } = await open(t);
    const leave = await enter("a");
    await pair.cut();
    await leave();
    const again = subscribe(pair.client, "a");
    const next = again.next();
    await pair.reconnect();
    let isRead = false;
    void next.then(() => (isRead = true));
    await eventually(async () => {
      await topics.publish("a", "x");
      assert.ok(isRead);
    });
    await expectMembers("a", 1);
    await again.return?.();
    await expectMembers("a", 0);
  });
});

test("M7: a thousand subscriptions that are left while the server still decides on the first one end, and so do their members", async (t) => {
  await using topics = createTopics();
  let decide = (): void => undefined;
  const decision = new Promise<void>((resolve) => (decide = resolve));
  await using server = await serve((connection) => {
    topics.open(connection, {
      authorize: async (_, topic) => {
        await decision;
        await topics.subscribe(connection, topic, { presence: {} });
        return true;
      },
    });
    return connection.closed;
  });
  const link = await connect(server.url, { linkProtocol: true });
  t.after(() => link.terminate());
  const names = Array.from({ length: 1_000 }, (_, index) => `topic ${index}`);
  const left = names.map((name) => subscribe(link, name));
  for (const events of left) void events.next();
  await link.ping();
  for (const events of left) await events.return?.();
  await link.ping(); // The server has received all requests.
  decide();
  // Requests are handled in order: the answer to this one follows all others.
  const events = subscribe(link, "another topic");
  const next = events.next();
  while ((await topics.presence("another topic")).length === 0) await link.ping();
  const members = await Promise.all(names.map((name) => topics.presence(name)));
  assert.equal(members.flat().length, 0);
  await topics.publish("another topic", "x");
  assert.equal((await next).done, false);
  await link.close();
});

test("M7: a client subscribes to as many topics at once as the server allows", async (t) => {
  await using topics = createTopics();
  const names = Array.from({ length: 1_500 }, (_, index) => `topic ${index}`);
  await using server = await serve((connection) => {
    topics.open(connection, {
      maxSubscriptions: names.length,
      authorize: async (_, topic) => {
        await topics.subscribe(connection, topic);
        return true;
      },
    });
    return connection.closed;
  });
  const link = await connect(server.url, { linkProtocol: true });
  t.after(() => link.terminate());
  let subscribed = 0;
  const onSubscribed = (): number => subscribed++;
  diagnostics.subscribe("holdfast:topic:subscribe", onSubscribed);
  const received = Promise.all(names.map(async (name) => (await subscribe(link, name).next()).done));
  while (subscribed < names.length) await link.ping();
  diagnostics.unsubscribe("holdfast:topic:subscribe", onSubscribed);
  await assert.rejects(subscribe(link, "one more").next(), { reason: "limit" });
  await Promise.all(names.map((name) => topics.publish(name, "x")));
  assert.ok((await received).every((done) => done === false));
  await link.close();
});

async function openPersistent(url: string): Promise<PersistentConnection> {
  const persistent = connectPersistent(url, { linkProtocol: true });
  await new Promise((resolve) => persistent.on("open", resolve));
  return persistent;
}
