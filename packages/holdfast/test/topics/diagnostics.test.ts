// The diagnostics channels of topics: each event as it happens.

import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, describe, test } from "node:test";
import { connect, serve, type Connection } from "holdfast";
import {
  createTopics,
  EngineUnavailableError,
  memoryEngine,
  publish,
  subscribe as follow,
  type Engine,
  type Position,
  type SubscribeOptions,
  type TopicsDiagnosticsMessages,
  type TopicsOptions,
} from "holdfast/topics";
import { eventually } from "./eventually.js";

type Name = keyof TopicsDiagnosticsMessages;
type Recorded = readonly [name: string, details: Readonly<Record<string, unknown>>];

const NAMES: readonly Name[] = [
  "holdfast:topic:publish",
  "holdfast:topic:deliver",
  "holdfast:topic:gap",
  "holdfast:topic:slow",
  "holdfast:topic:lag",
  "holdfast:topic:subscribe",
  "holdfast:topic:unsubscribe",
  "holdfast:topic:presence",
  "holdfast:topic:refused",
  "holdfast:topic:retry",
  "holdfast:engine:state",
];

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const act of undo.splice(0).reverse()) await act();
});

/** The messages of these channels, without what differs in each run. */
function record(...names: readonly Name[]): readonly Recorded[] {
  const recorded: Recorded[] = [];
  for (const name of names) {
    const listen = (message: unknown): void => {
      const { connection, duration, error, engine, ...details } = message as Record<string, unknown>;
      if (duration !== undefined) assert.ok(Number(duration) >= 0);
      recorded.push([
        name.replace("holdfast:", ""),
        {
          ...details,
          ...(connection === undefined ? {} : { hasConnection: connection !== null }),
          ...(error === undefined ? {} : { error: error === null ? null : (error as Error).name }),
          ...(engine === undefined ? {} : { hasEngine: true }),
        },
      ]);
    };
    subscribe(name, listen);
    undo.push(() => unsubscribe(name, listen));
  }
  return recorded;
}

async function start(options: TopicsOptions, own: SubscribeOptions | null = {}) {
  const topics = createTopics(options);
  const opened: Connection[] = [];
  const server = await serve(async (connection) => {
    topics.open(connection, { authorize: (_, topic) => topic !== "secret", publish: () => true });
    if (own !== null) await topics.subscribe(connection, "a", own);
    opened.push(connection);
    await connection.closed;
  });
  undo.push(
    () => topics.close(),
    () => server.close(),
  );
  const client = await connect(server.url, { linkProtocol: own === null });
  undo.push(() => client.close());
  await eventually(() => assert.equal(opened.length, 1));
  return { topics, client, opened };
}

describe("Diagnostics channels of topics", () => {
  test("M1: a subscription, a member, a publication, its delivery and the end of both are reported", async () => {
    const recorded = record(...NAMES);
    const { topics, client, opened } = await start({ history: true }, { presence: "Ann" });
    const [connection] = opened;
    assert.ok(connection);
    await topics.subscribe(connection, "a", { presence: "Ann, again" }); // The same subscription, and the same member.
    const { epoch } = await topics.publish("a", "one", { id: "x" });
    await topics.publish("a", "again", { id: "x" });
    await topics.publish("a", "typing", { history: false });
    await client.close();
    await eventually(() => assert.equal(recorded.at(-1)?.[1]["change"], "leave"));
    const of = (name: string): unknown[] =>
      recorded.filter(([each]) => each === name).map(([, message]) => message);
    assert.deepEqual(of("topic:publish"), [
      { topic: "a", published: { offset: 1, epoch, isDuplicate: false }, error: null },
      { topic: "a", published: { offset: 1, epoch, isDuplicate: true }, error: null },
      { topic: "a", published: { offset: null, epoch: null, isDuplicate: false }, error: null },
    ]);
    assert.deepEqual(of("topic:deliver"), [
      { topic: "a", offset: 1, receivers: 1 },
      { topic: "a", offset: null, receivers: 1 },
    ]);
    assert.deepEqual(of("topic:presence"), [
      { topic: "a", change: "join", hasConnection: true },
      { topic: "a", change: "leave", hasConnection: true },
    ]);
    for (const name of ["topic:subscribe", "topic:unsubscribe"]) {
      assert.deepEqual(of(name), [{ topic: "a", hasConnection: true }]);
    }
    assert.deepEqual(of("engine:state"), []);
  });

  test("M7: the refusal of a client's request is reported as it happens, with the reason", async () => {
    const recorded = record("holdfast:topic:refused");
    const { client } = await start({}, null);
    await assert.rejects(follow(client, "secret").next(), /not allowed/);
    assert.deepEqual(recorded, [
      ["topic:refused", { topic: "secret", reason: "forbidden", hasConnection: true }],
    ]);
  });

  test("M6: a slow receiver is reported while it is slow, and its lag until it has caught up", async () => {
    const recorded = record("holdfast:topic:slow", "holdfast:topic:lag", "holdfast:topic:gap");
    const { topics, client } = await start({ history: true }, { slow: "catch-up", limit: 1 });
    const text = "x".repeat(100_000);
    // Nobody reads at the client, so the socket fills.
    await eventually(async () => {
      for (let count = 0; count < 10; count++) await topics.publish("a", text);
      assert.ok(recorded.some(([name]) => name === "topic:slow"));
    });
    for (let count = 0; count < 40; count++) await topics.publish("a", text);
    assert.deepEqual(recorded[0], ["topic:slow", { topic: "a", policy: "catch-up", hasConnection: true }]);
    assert.ok(client.state === "open", "It is still connected.");
    void client.forEach(() => undefined);
    await eventually(() => assert.equal(recorded.at(-1)?.[1]["messages"], 0));
    const lags = recorded
      .filter(([name]) => name === "topic:lag")
      .map(([, { messages }]) => Number(messages));
    assert.ok(
      lags.some((messages) => messages > 1),
      `Behind by ${lags.join(", ")}`,
    );
    assert.ok(
      recorded.every(([name]) => name !== "topic:gap"),
      "Nothing is missing.",
    );
  });

  test("M2: a gap is reported for each subscriber that has one", async () => {
    const recorded = record("holdfast:topic:gap");
    await start({ history: true }, { since: { epoch: "other", offset: 3 } });
    const [[name, { position, ...gap }]] = recorded;
    assert.deepEqual(
      [name, gap, (position as Position).offset],
      ["topic:gap", { topic: "a", after: { epoch: "other", offset: 3 }, hasConnection: true }, 0],
    );
  });

  test("M8: a failing engine is reported once when it fails and once when it recovers, and each repeated read", async () => {
    const recorded = record("holdfast:engine:state", "holdfast:topic:retry", "holdfast:topic:refused");
    const memory = memoryEngine();
    let isDown = false;
    const down = (): Promise<never> =>
      Promise.reject(new EngineUnavailableError("There is no connection.", "unsent"));
    const engine: Engine = {
      node: memory.node,
      presence: memory.presence,
      sessions: memory.sessions,
      publish: (batch) => (isDown ? down() : memory.publish(batch)),
      listen: (topic, onMessage, onNewest) => memory.listen(topic, onMessage, onNewest),
      ignore: (topic, onMessage) => memory.ignore(topic, onMessage),
      read: (topic, after, limit) => memory.read(topic, after, limit),
      request: (node, body, timeout) => memory.request(node, body, timeout),
      answer: (handler) => memory.answer(handler),
      [Symbol.asyncDispose]: () => memory[Symbol.asyncDispose](),
    };
    undo.push(() => memory[Symbol.asyncDispose]());
    const { topics, client } = await start({ engine, history: true }, null);
    await topics.publish("a", "before");
    isDown = true;
    await assert.rejects(topics.publish("a", "down"));
    await assert.rejects(publish(client, "a", "down"), EngineUnavailableError);
    isDown = false;
    await topics.publish("a", "after");
    assert.deepEqual(recorded, [
      ["engine:state", { state: "unavailable", error: "EngineUnavailableError", hasEngine: true }],
      ["topic:refused", { topic: "a", reason: "unavailable-unsent", hasConnection: true }],
      ["engine:state", { state: "available", error: null, hasEngine: true }],
    ]);
  });
});
